"""One release of a small simulated company, with all tables and macros, for all questions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration import dbt
from orchestration.assets.release import as_of_of_build
from orchestration.publish import publish
from orchestration.published_tables import published_tables
from orchestration.release_database import DATABASE
from orchestration.settings import Settings
from simulation.company import generate
from simulation.parameters import Parameters
from tests.support.warehouse import build_warehouse


@pytest.fixture(scope="session")
def release_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a warehouse with one release: half a year of twenty visitors a day."""
    folder = tmp_path_factory.mktemp("ask")
    settings = Settings.from_environment(
        {},
        {
            "FUNNEL_HOME": str(folder / "home"),
            "FUNNEL_LANDING": str(folder / "landing"),
        },
    )
    generate(settings.landing, parameters=Parameters(visitors_per_day=20))
    build_warehouse(settings.landing, settings.seeds, settings.home, with_tests=False)
    publish(
        settings,
        published_tables(dbt.manifest(settings)),
        as_of=as_of_of_build(settings),
        fingerprint="of the test",
        run_id="test",
        gates=[],
        accepted=[],
    )
    return settings


@pytest.fixture(scope="session")
def release_database(release_settings: Settings) -> Path:
    """The file that readers open."""
    return release_settings.published / "current" / DATABASE


@pytest.fixture(scope="session")
def reader(release_database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A reader of the release."""
    with duckdb.connect(str(release_database), read_only=True) as connection:
        yield connection
