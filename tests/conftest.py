"""Lets tests that share a warehouse run in one process, and the longest of them begin first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration import hash_key

# The secret of all warehouses of the tests: hashes can be expected, and those of two compared.
SECRET = "the secret of the tests"

FOLDER = Path(__file__).parent
# Tests of these folders and files stand alone: each file may run in a process of its own.
ALONE = ("docs", "expectations", "orchestration", "real", "staging", "test_known_on.py")
# What builds longest comes first, so that no process is left with it at the end: folders, and files
# that take minutes.
LONGEST = (
    "semantics",
    "marts",
    "ask",
    "simulation",
    "test_kept_tables.py",
    "test_personal_values.py",
    "staging",
    "real",
    "docs",
)


# First, as the groups are read by the plugin in its own turn.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests for the options of `make test`, in the order to run them."""

    def place(item: pytest.Item) -> int:
        parts = item.path.relative_to(FOLDER).parts
        return min((LONGEST.index(part) for part in parts if part in LONGEST), default=len(LONGEST))

    items.sort(key=place)
    for item in items:
        folder, *names = item.path.relative_to(FOLDER).parts
        is_alone = folder in ALONE or names[0] in ALONE
        group = f"{folder}/{names[0]}" if is_alone else folder
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session", autouse=True)
def one_secret() -> Iterator[None]:
    """Let a warehouse that makes a secret for itself make this one."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hash_key, "new_secret", lambda: SECRET)
        yield
