"""When a night starts by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.jobs import nightly
from orchestration.resources import Warehouse
from orchestration.settings import Settings

# Late enough for systems that export after their own midnight, early enough for a second attempt
# before people come to work.
NIGHTLY_CRON = "0 2 * * *"


def nightly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """The nightly run at 02:00 in the reporting time zone, up to the midnight before it."""

    @dg.schedule(
        job=nightly,
        cron_schedule=NIGHTLY_CRON,
        execution_timezone=settings.reporting_timezone,
        name="nightly_schedule",
        # Whoever serves Dagster wants the nights to come without a further click.
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"02:00 in {settings.reporting_timezone}. The run knows everything up to the "
        "midnight before, unless FUNNEL_AS_OF says otherwise.",
    )
    def at_two(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        if settings.as_of is not None:
            return dg.RunRequest()
        as_of = midnight_of(context.scheduled_execution_time, settings.reporting_timezone)
        warehouse = Warehouse(changed_settings={"FUNNEL_AS_OF": as_of.isoformat()})
        return dg.RunRequest(
            run_config=dg.RunConfig(resources={"warehouse": warehouse}),
            tags={"funnel_warehouse/as_of": as_of.isoformat()},
        )

    return at_two


def midnight_of(tick: datetime, timezone: str) -> datetime:
    """The instant (UTC, without an offset) at which the day of `tick` began in `timezone`."""
    zone = ZoneInfo(timezone)
    day = tick.astimezone(zone).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return midnight.astimezone(UTC).replace(tzinfo=None)
