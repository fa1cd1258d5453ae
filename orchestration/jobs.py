"""The jobs: what is run together, in one process, under one lock."""

from __future__ import annotations

import dagster as dg

from orchestration.hooks import report_failure

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Everything, from the landing to the release. Stops at the first gate that fails; "
    "skips all layers if nothing is new.",
    # One process: the writer lock is held throughout, and Great Expectations, which takes ten
    # seconds to import, is imported once.
    executor_def=dg.in_process_executor,
    hooks={report_failure},
)
