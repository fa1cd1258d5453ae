"""The days of web events, as partitions: what a backfill in Dagster is asked for."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from orchestration import declarations
from orchestration.backfill import BackfillError, ask_again, first_day
from orchestration.dbt_translator import OWNERS
from orchestration.declarations import DeclarationError
from orchestration.landing import LandingError
from orchestration.resources import PROGRESS, Warehouse, WriterLock
from orchestration.settings import Settings

WEB_EVENT_DAYS = "web_event_days"


def build_web_event_days(settings: Settings) -> dg.AssetsDefinition:
    """The asset whose partitions are the days from the first one that a file is named for."""

    @dg.asset(
        name=WEB_EVENT_DAYS,
        group_name="raw",
        owners=[OWNERS["raw"]],
        description="Asks for the files of web events named for these days to be read again, as "
        "`make backfill` does. The job `backfill` asks and does what follows from it; alone, it "
        "leaves that to the next night.",
        partitions_def=dg.DailyPartitionsDefinition(
            start_date=_start(settings).isoformat(), timezone=settings.reporting_timezone
        ),
        # However many days are chosen, they take one night.
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"duckdb"},
    )
    def web_event_days(
        context: dg.AssetExecutionContext, warehouse: Warehouse, writer_lock: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any]]:
        settings = warehouse.settings()
        days = context.partition_key_range
        try:
            asked = ask_again(
                settings,
                declarations.read(settings.seeds).sources,
                date.fromisoformat(days.start),
                date.fromisoformat(days.end),
            )
        except BackfillError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        PROGRESS.info(f"raw          {asked}")
        yield dg.MaterializeResult(metadata={"files": asked.files})

    return web_event_days


def _start(settings: Settings) -> date:
    try:
        found = first_day(settings, declarations.read(settings.seeds).sources)
    except (DeclarationError, LandingError):
        # What is wrong with them is told by the run that reads them.
        found = None
    return found or datetime.now(UTC).date()
