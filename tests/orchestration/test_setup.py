"""What a bare machine needs: the targets of make, the locks, and what CI calls."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LOCKS = ("requirements", "requirements-dev")


def test_every_target_is_listed_with_what_it_does() -> None:
    """What is not in the list is known to nobody."""
    makefile = (PROJECT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", makefile, flags=re.MULTILINE)
    assert phony
    targets = set(phony[1].replace("\\", " ").split())
    listed = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert {line.split()[1] for line in listed} == targets
    assert all(len(line.split()) > 3 for line in listed), "each says what it does"


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_hashes_and_no_addresses(name: str) -> None:
    """A lock with the address of somebody's mirror installs on no other machine."""
    lock = (PROJECT / f"{name}.lock").read_text()
    assert "//" not in lock
    pinned = re.findall(r"^[a-zA-Z0-9_.\[\]-]+==", lock, flags=re.MULTILINE)
    assert pinned
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) >= len(pinned)


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_asked_for_is_pinned_and_locked(name: str) -> None:
    """A version that was changed and not locked again would never be installed."""
    asked = [
        line
        for line in (PROJECT / f"{name}.in").read_text().splitlines()
        if line and not line.startswith(("#", "-r"))
    ]
    assert asked
    lock = (PROJECT / f"{name}.lock").read_text().lower().replace("_", "-")
    for requirement in asked:
        assert re.fullmatch(r"[\w-]+==[\w.]+", requirement), requirement
        assert re.search(rf"^{re.escape(requirement.lower())}( |$)", lock, flags=re.MULTILINE)


def test_locks_agree_with_each_other() -> None:
    """The tests would run on other versions than the nights do."""

    def versions(name: str) -> dict[str, str]:
        lock = (PROJECT / f"{name}.lock").read_text()
        return dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", lock, flags=re.MULTILINE))

    nights, tests = versions("requirements"), versions("requirements-dev")
    assert nights
    assert {name: tests.get(name) for name in nights} == nights


def test_ci_runs_what_a_person_runs() -> None:
    """What passes here would fail there, or the other way round."""
    script = PROJECT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert re.search(r"^make test\b", script.read_text(), flags=re.MULTILINE)
