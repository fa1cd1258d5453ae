"""Lets tests that share a warehouse run in one process, and the longest of them begin first."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# Tests of these folders and files stand alone: each file may run in a process of its own.
ALONE = ("docs", "expectations", "orchestration", "real", "staging", "test_known_on.py")
# What builds longest comes first, so that no process is left with it at the end.
LONGEST = ("semantics", "marts", "simulation")


# First, as the groups are read by the plugin in its own turn.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests for `pytest --numprocesses 2 --dist loadgroup`, in the order to run them."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(FOLDER).parts[0]
        return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)

    items.sort(key=place)
    for item in items:
        folder, *names = item.path.relative_to(FOLDER).parts
        is_alone = folder in ALONE or names[0] in ALONE
        group = f"{folder}/{names[0]}" if is_alone else folder
        item.add_marker(pytest.mark.xdist_group(group))
