"""The jobs: what is run together, in one process, under one lock."""

from __future__ import annotations

import dagster as dg

from orchestration.assets.web_event_days import WEB_EVENT_DAYS
from orchestration.hooks import report_failure

# What is asked for by day is nobody's every night.
_ASKED = dg.AssetSelection.assets(WEB_EVENT_DAYS)

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all() - _ASKED,
    description="Everything, from the landing to the release. Stops at the first gate that fails; "
    "skips all layers if nothing is new.",
    # One process: the writer lock is held throughout, and Great Expectations, which takes ten
    # seconds to import, is imported once.
    executor_def=dg.in_process_executor,
    hooks={report_failure},
)

backfill = dg.define_asset_job(
    "backfill",
    selection=dg.AssetSelection.all(),
    description="Reads the web events of the chosen days again, and does all that follows.",
    executor_def=dg.in_process_executor,
    hooks={report_failure},
)
