"""Whatever kills a night of loading, and wherever: the next run ends where it would have ended.

The process is killed before each place of the loading code that renames, deletes, commits or asks
DuckDB to do something, one after the other.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.ledger import LedgerError, open_ledger
from tests.orchestration.deliveries import EVENTS_HEADER, SECOND_NIGHT, Company
from tests.orchestration.killing import KILLED, killed_at, steps_of

WATCHED = {"commit", "execute", "replace", "rmtree", "sync", "unlink"}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """One night was loaded; on the next, one file is new, one replaced and one taken back."""
    company = Company(tmp_path)
    company.deliver("crm/events/a.csv", EVENTS_HEADER + "2024-02-01,visit,a\n")
    company.deliver("web/events/a.csv", EVENTS_HEADER + "2024-02-01,visit,w\n")
    company.load()
    company.deliver("crm/events/a.csv", EVENTS_HEADER + "2024-02-02,visit,b\n2024-02-30,visit,b\n")
    company.deliver("crm/events/b.csv", EVENTS_HEADER + "2024-02-01,visit\n2024-02-01,visit,c\n")
    company.deliver("web/events/b.csv", EVENTS_HEADER + "2024-02-01,visit,w\n")
    return company


def state_of(company: Company) -> dict[str, object]:
    """All that a reader of the build can see, and all files of the state but the databases."""
    home = company.settings.home
    tables = ["raw.loads", "raw.deliveries", "raw.quarantined_rows", "raw_generic.events"]
    state: dict[str, object] = {
        table: company.query(f"select * from {table} order by all") for table in tables
    }
    state["files"] = sorted(
        path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()
    )
    return state


def with_home(company: Company, home: Path) -> Company:
    """The same company with a copy of its state."""
    copy = object.__new__(Company)
    copy.landing, copy.sources = company.landing, company.sources
    copy.settings = replace(company.settings, home=home)
    shutil.copytree(company.settings.home, home)
    return copy


def test_a_night_that_is_killed_anywhere_is_made_whole_by_the_next_run(
    company: Company, tmp_path: Path
) -> None:
    """Files are loaded twice or never, or a half-written one is taken for whole."""
    undisturbed = with_home(company, tmp_path / "undisturbed")
    undisturbed.load(SECOND_NIGHT)
    expected = state_of(undisturbed)
    watched = with_home(company, tmp_path / "watched")
    steps = steps_of(WATCHED, lambda: watched.load(SECOND_NIGHT))

    assert {name for _, _, name in steps} == WATCHED
    for number, step in enumerate(steps):
        disturbed = with_home(company, tmp_path / f"killed_{number}")
        assert killed_at(WATCHED, step, lambda: disturbed.load(SECOND_NIGHT)), step  # noqa: B023
        disturbed.load(SECOND_NIGHT)
        assert state_of(disturbed) == expected, step


def test_rows_are_in_place_before_the_ledger_tells_of_them(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the two leaves a ledger that tells of rows which are nowhere."""

    def fail(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        company.load(SECOND_NIGHT)
    monkeypatch.undo()

    with open_ledger(company.settings.ledger) as ledger:
        assert [load.file for load in ledger.loads().values()] == [
            "crm/events/a.csv",
            "web/events/a.csv",
        ]


def load_as_second(company: Company) -> None:
    """Load in a process of its own, which tells by its exit code that it was refused."""
    try:
        company.load(SECOND_NIGHT)
    except LedgerError as error:
        sys.exit(KILLED if "Wait for the other run to end" in str(error) else 1)


def test_a_second_run_at_the_same_time_is_refused(company: Company) -> None:
    """Two nights at once load the same files twice."""
    with open_ledger(company.settings.ledger):
        # Not a fork: that would share the ledger that is open here.
        process = multiprocessing.get_context("spawn").Process(
            target=load_as_second, args=(company,)
        )
        process.start()
        process.join()

    assert process.exitcode == KILLED


def test_what_a_run_left_unfinished_is_cleared_away(company: Company, tmp_path: Path) -> None:
    """Unfinished files of killed runs fill the disk."""
    left = company.settings.raw / ".incoming" / "0123456789abcdef.staged.parquet"
    left.parent.mkdir()
    left.write_bytes(b"half a file")

    company.load(SECOND_NIGHT)

    assert not left.exists()


def test_load_ids_are_the_same_on_another_machine(company: Company, tmp_path: Path) -> None:
    """A rebuild gives every load another name, so that nothing can be compared."""
    elsewhere = Company(tmp_path / "elsewhere")
    shutil.copytree(company.landing, elsewhere.landing, dirs_exist_ok=True)
    company.load(SECOND_NIGHT)
    elsewhere.load()

    ids = "select file, load_id from raw.loads where is_current order by all"
    assert company.query(ids) == elsewhere.query(ids)
    # sha256 of 'crm/events/b.csv', a zero byte and the file's own sha256 in hexadecimal
    assert ("crm/events/b.csv", "bd0d323f85e8cb4d") in company.query(ids)
