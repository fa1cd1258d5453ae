"""Writes the report into a release that is not shown yet, from the release's own tables."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from orchestration.published_tables import PublishedTable
from orchestration.release_database import DATABASE, connection_to
from orchestration.releases import Release
from orchestration.report import alerts, funnels, pipelines, quality
from orchestration.report.pages import pages
from orchestration.report.scripts import script
from orchestration.settings import Settings

REPORT = "report"
ASSETS = Path(__file__).parent / "assets"
PLOTLY = "plotly.min.js"

# Of these tables each page tells, besides what the release knows of itself: as lineage they are in
# models/exposures.yml. A build without all of them has no report.
TABLES_OF_PAGES = {
    "index.html": {
        "control_totals",
        "dim_funnel_stages",
        "dim_funnels",
        "drop_off_points",
        "funnel_conversion",
        "metric_alerts",
        "metric_tests",
    },
    "funnels.html": {
        "conversion_differences",
        "conversion_drivers",
        "conversion_matrix",
        "cycle_times",
        "dim_funnel_stages",
        "dim_funnels",
        "drop_off_points",
        "funnel_conversion",
        "survival_curves",
    },
    "pipeline.html": {
        "dim_funnel_stages",
        "dim_funnels",
        "pipeline_coverage",
        "pipeline_daily",
        "pipeline_movements",
        "sales_forecast",
    },
    "quality.html": {"control_totals", "dim_funnels", "unmatched_names"},
}
TABLES = frozenset[str]().union(*TABLES_OF_PAGES.values())


class ReportError(RuntimeError):
    """A report that cannot be written. Nothing was published."""


def has_report(tables: Iterable[PublishedTable]) -> bool:
    """Whether a release of these tables has what the report tells of."""
    return {table.name for table in tables} >= TABLES


def write_report(settings: Settings, folder: Path, release: Release, before: Path | None) -> None:
    """Write the report of a release into its folder.

    Args:
        settings: what the tables were made with.
        folder: that of the release; its database is there already.
        release: what is told of it.
        before: the folder of the release that readers have; None if there is none. What has not
            changed is linked to it.

    Raises:
        ReportError: Plotly is not installed, or a table lacks what is asked of it.
    """
    report = folder / REPORT
    (report / "assets").mkdir(parents=True)
    (report / "data").mkdir()
    _write_assets(report / "assets", before / REPORT / "assets" / PLOTLY if before else None)
    with connection_to(settings, {"release": (folder / DATABASE, "read_only")}) as connection:
        connection.execute("use release")
        try:
            content = _write_data(connection, report / "data", settings, release)
            content["watched"] = alerts.alerts_data(connection)
            content["quality"] = quality.quality_data(
                connection, release.release_id, before / DATABASE if before else None
            )
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise ReportError(
                f"{folder / DATABASE}: expected the tables and columns that the report shows "
                f"(orchestration/report/), found: {error} Let the report ask for what the models "
                "have now."
            ) from error
    for name, text in pages(content).items():
        (report / name).write_text(text, encoding="utf-8")


def _write_assets(assets: Path, plotly_before: Path | None) -> None:
    for asset in sorted(ASSETS.iterdir()):
        shutil.copyfile(asset, assets / asset.name)
    plotly = _plotly()
    if plotly_before and plotly_before.is_file() and filecmp.cmp(plotly, plotly_before, False):
        (assets / PLOTLY).hardlink_to(plotly_before)
    else:
        shutil.copyfile(plotly, assets / PLOTLY)


def _plotly() -> Path:
    """The library as its package has it, found without the seconds that importing it takes."""
    found = find_spec("plotly")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        library = Path(place) / "package_data" / PLOTLY
        if library.is_file():
            return library
    raise ReportError(
        f"plotly: expected the package with package_data/{PLOTLY}, found "
        f"{places or 'no such package'}. Install what requirements.lock has: delete "
        ".venv/.for-nights and run `make nightly`."
    )


def _write_data(
    connection: duckdb.DuckDBPyConnection, data: Path, settings: Settings, release: Release
) -> dict[str, Any]:
    """Write a script for each funnel and pipeline, and return what the templates tell."""
    shown = []
    for number, funnel in enumerate(funnels.funnel_rows(connection), start=1):
        figures = funnels.funnel_data(connection, funnel)
        file = f"funnel-{number:02}.js"
        _write_script(data, file, {"release_id": release.release_id, **figures})
        shown.append({**funnel, "file": file, "headline": funnels.headline(figures)})
    pipes = []
    for number, pipeline in enumerate(pipelines.pipeline_rows(connection), start=1):
        figures = pipelines.pipeline_data(connection, pipeline)
        file = f"pipeline-{number:02}.js"
        _write_script(data, file, {"release_id": release.release_id, **figures})
        pipes.append({**pipeline, "file": file})
    told: dict[str, Any] = {
        "release_id": release.release_id,
        "as_of": f"{release.as_of:%Y-%m-%d %H:%M} UTC",
        "published_at": f"{release.published_at:%Y-%m-%d %H:%M} UTC",
        "previous_release_id": release.previous_release_id,
        "currency": settings.reporting_currency,
        "timezone": settings.reporting_timezone,
        "min_reportable": settings.min_reportable,
    }
    catalogue = {
        **told,
        "funnels": [_in_catalogue(funnel) for funnel in shown],
        "pipelines": [_in_catalogue(pipeline) for pipeline in pipes],
    }
    _write_script(data, "catalogue.js", catalogue)
    return {"release": told, "funnels": shown, "pipelines": pipes}


def _write_script(data: Path, file: str, told: dict[str, Any]) -> None:
    (data / file).write_text(script(file, told), encoding="utf-8")


def _in_catalogue(thing: dict[str, Any]) -> dict[str, Any]:
    return {name: thing[name] for name in ("funnel_id", "funnel_name", "file")}
