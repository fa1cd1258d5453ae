"""When a run starts by itself: new files have arrived in the landing and settled."""

from __future__ import annotations

import time

import dagster as dg

from orchestration import declarations
from orchestration.declarations import DeclarationError
from orchestration.jobs import nightly
from orchestration.landing import LandingError, is_settled, landing_signature, list_landing
from orchestration.resources import Warehouse
from orchestration.settings import Settings

# Often enough that the wait is mostly that for settling, rarely enough to list a large landing.
SECONDS_BETWEEN_LOOKS = 30


@dg.sensor(
    job=nightly,
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the nightly job when files in the landing have changed and no file has "
    "been written to for FUNNEL_SETTLE_SECONDS.",
)
def new_files_sensor(
    context: dg.SensorEvaluationContext, warehouse: Warehouse
) -> dg.RunRequest | dg.SkipReason:
    """Ask for one run for each settled state of the landing."""
    try:
        signature, waiting = settled_state(warehouse.settings(), time.time_ns())
    except (LandingError, DeclarationError) as error:
        return dg.SkipReason(str(error))
    if signature == (context.cursor or ""):
        return dg.SkipReason("Nothing has changed since the last run that was started for files.")
    if waiting:
        return dg.SkipReason(f"Waiting for {waiting} to settle.")
    context.update_cursor(signature)
    # Without a run key: a landing that goes back to an earlier state is news again.
    return dg.RunRequest()


def settled_state(settings: Settings, now_ns: int) -> tuple[str, str]:
    """What lies in the landing.

    Args:
        settings: where the landing is, and how long a file has to be left alone.
        now_ns: the time, in nanoseconds since 1970.

    Returns:
        A signature that changes with any file, empty if there is none; and the file that was
        written to last, if it has not settled, else nothing.

    Raises:
        LandingError: the landing cannot be read.
        DeclarationError: the sources are not declared properly.
    """
    sources = declarations.read(settings.seeds).sources
    files = list_landing(settings.landing, sources).files
    if not files:
        return "", ""
    newest = max(files, key=lambda file: (file.changed_ns, file.file))
    waiting = "" if is_settled(newest, now_ns, settings.settle_seconds) else newest.file
    return landing_signature(files), waiting
