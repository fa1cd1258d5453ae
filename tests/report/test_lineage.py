"""models/exposures.yml: what reads the published tables, as the code that reads them has it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.dbt import PROJECT
from orchestration.report import alerts, funnels, pipelines, quality
from orchestration.report.pages import PAGES
from orchestration.report.writing import TABLES_OF_PAGES

PUBLISHED = {path.stem for path in (PROJECT / "models" / "marts").rglob("*.sql")}


READ = re.compile(r"\b(?:from|join)\s+(?:\w+\.)?(\w+)")


class Asking:
    """A connection that notes which published tables each statement names.

    Attributes:
        statements: the tables of each statement that names any.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.statements: list[set[str]] = []

    def execute(self, query: str, *parameters: Any) -> duckdb.DuckDBPyConnection:
        """Note the tables, and ask."""
        self.statements.append(set(READ.findall(query)) & PUBLISHED)
        return self._connection.execute(query, *parameters)

    @property
    def tables(self) -> set[str]:
        """All of them."""
        return set().union(*self.statements)


@pytest.fixture(scope="module")
def tables_asked(report: Path) -> dict[str, set[str]]:
    """Which published tables the code of each page reads."""
    asked: dict[str, set[str]] = {}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{report.parent / 'funnel.duckdb'}' as release (read_only)")
        connection.execute("use release")

        def by(read: Any) -> Asking:
            asking = Asking(connection)
            read(asking)
            return asking

        rows = by(funnels.funnel_rows)
        figures = by(lambda ask: [
            funnels.funnel_data(ask, funnel) for funnel in funnels.funnel_rows(connection)
        ])  # fmt: skip
        pipes = by(lambda ask: [
            pipelines.pipeline_data(ask, pipe) for pipe in pipelines.pipeline_rows(ask)
        ])  # fmt: skip
        checks = by(lambda ask: quality.quality_data(ask, "none", None))
        watched = by(alerts.alerts_data)
    asked["funnels.html"] = rows.tables | figures.tables
    asked["pipeline.html"] = pipes.tables
    # What stands on the page beside the headlines of the overview.
    headlines = {"funnel_conversion"}
    asked["quality.html"] = checks.tables - headlines
    # The overview tells of the ladder alone, of what is watched, and of what was loaded.
    ladder = [one for one in figures.statements if one & {"dim_funnel_stages", "drop_off_points"}]
    asked["index.html"] = rows.tables | set().union(*ladder) | watched.tables | headlines
    asked["index.html"] |= {"control_totals"} & checks.tables
    return asked


def exposures() -> dict[str, dict[str, Any]]:
    """The exposures by name."""
    declared = yaml.safe_load((PROJECT / "models" / "exposures.yml").read_text(encoding="utf-8"))
    return {one["name"]: one for one in declared["exposures"]}


def depends_on(exposure: dict[str, Any]) -> set[str]:
    """The models that an exposure names."""
    return {ref.removeprefix("ref('").removesuffix("')") for ref in exposure["depends_on"]}


@pytest.mark.parametrize("page", PAGES)
def test_lineage_of_a_page_is_what_its_code_asks(
    page: str, tables_asked: dict[str, set[str]]
) -> None:
    """Whoever changes a table would not be told which page shows it."""
    [exposure] = [one for one in exposures().values() if one["meta"]["page"] == page]
    assert tables_asked[page] == TABLES_OF_PAGES[page]
    assert depends_on(exposure) == TABLES_OF_PAGES[page]


def test_the_copy_in_postgresql_is_of_all_published_tables() -> None:
    """A table that is new would be copied, and the lineage would say that nobody reads it."""
    assert depends_on(exposures()["postgresql_copy"]) == PUBLISHED


def test_pages_that_exposures_name_are_there() -> None:
    """A link into a page that was renamed leads nowhere."""
    pages = {one["meta"]["page"] for one in exposures().values()}
    assert {page for page in pages if page not in PAGES and not (PROJECT / page).is_file()} == set()
