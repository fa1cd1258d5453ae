"""Builds the one warehouse of the casebook, from the cases of every module of this folder."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.semantics.cases import BOOK, build_casebook
from tests.support.tables import Tables


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs the warehouse, so that it can be left out."""
    for item in items:
        if "warehouse_database" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def casebook_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The landing and the seeds of all cases."""
    for module in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.semantics.{module.stem}")
    folder = tmp_path_factory.mktemp("casebook")
    BOOK.write(folder / "landing", folder / "seeds")
    return folder


@pytest.fixture(scope="session")
def warehouse_database(casebook_folder: Path) -> Path:
    """The database that was built of all cases."""
    folder = casebook_folder
    return build_casebook(folder / "landing", folder, folder / "seeds", folder / "home")


@pytest.fixture(scope="session")
def warehouse(warehouse_database: Path) -> Iterator[Tables]:
    """Its tables."""
    tables = Tables(warehouse_database)
    yield tables
    tables.close()
