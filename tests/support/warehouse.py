"""Builds a warehouse from a landing and seeds, without Dagster, Great Expectations or a release.

For tests of what the tables hold. What a night does around the models has tests of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestration import dbt, declarations
from orchestration.kept_tables import drop_stale
from orchestration.known_on import keep_known_dates
from orchestration.raw import load_landing
from orchestration.raw_views import create_raw_views
from orchestration.settings import Settings


class BuildFailedError(AssertionError):
    """The warehouse could not be built; the message says what failed."""


def build_warehouse(
    landing: Path,
    seeds: Path,
    home: Path,
    as_of: datetime | None = None,
    timezone: str = "UTC",
    currency: str = "USD",
    now: datetime | None = None,
    threads: int = 2,
    with_tests: bool = True,
    select: Sequence[str] = ("resource_type:seed", "path:models", "source:*"),
) -> Path:
    """Check the declarations, load the landing, build all models and test their rows.

    Called again with the same `home` it is the next night.

    Args:
        landing: the deliveries, as <source>/<table>/<file>.
        seeds: the declarations.
        home: where the state is kept.
        as_of: the instant before which things are known, in UTC; None: from the data.
        timezone: the reporting time zone.
        currency: the reporting currency.
        now: when the deliveries are first seen, in UTC; None: now.
        threads: of dbt.
        with_tests: whether dbt's tests of rows are run; unit tests, which see no data, never are.
        select: what is built, in dbt's words: less than all is a night that comes no further.

    Returns:
        The path of the database that holds all tables.

    Raises:
        BuildFailedError: if a delivery was refused, or a model or a test of dbt failed.
    """
    settings = _settings(landing, seeds, home, as_of, timezone, currency)
    load_night(landing, seeds, home, now)
    declared = declarations.read(seeds)
    create_raw_views(settings, declared.sources)
    drop_stale(settings, declared)
    keep_known_dates(settings, declared, as_of)
    left_out = ["unit_test"] if with_tests else ["unit_test", "test"]
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", *select),
            *("--exclude-resource-types", *left_out),
            *("--threads", str(threads)),
            *dbt.common_arguments(settings),
        ],
    )
    if outcome.failures:
        raise BuildFailedError("\n".join(["dbt found:", *outcome.failure_lines]))
    if not outcome.results:
        raise BuildFailedError("dbt built nothing")
    return settings.build


def load_night(landing: Path, seeds: Path, home: Path, now: datetime | None = None) -> None:
    """Load what lies in the landing, as one night does, and build nothing.

    Raises:
        BuildFailedError: if a delivery was refused.
    """
    settings = _settings(landing, seeds, home)
    declared = declarations.read(seeds)
    declarations.write(declared, settings.declarations)
    found = load_landing(settings, declared.sources, now or datetime.now(UTC), "test")
    if found.errors:
        lines = [f"  {error}" for errors in found.errors.values() for error in errors]
        raise BuildFailedError("\n".join(["the loader refused:", *lines]))


def _settings(
    landing: Path,
    seeds: Path,
    home: Path,
    as_of: datetime | None = None,
    timezone: str = "UTC",
    currency: str = "USD",
) -> Settings:
    return Settings.from_environment(
        {
            "FUNNEL_LANDING": str(landing),
            "FUNNEL_SEEDS": str(seeds),
            "FUNNEL_HOME": str(home),
            "FUNNEL_AS_OF": as_of.isoformat() if as_of else "",
            "FUNNEL_TIMEZONE": timezone,
            "FUNNEL_CURRENCY": currency,
        }
    )
