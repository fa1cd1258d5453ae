"""Everything that Dagster knows of the warehouse, put together."""

from __future__ import annotations

from typing import Any

import dagster as dg

from orchestration.assets.gates import build_gates
from orchestration.assets.known_on import build_known_on
from orchestration.assets.layers import build_layers
from orchestration.assets.raw import build_raw
from orchestration.assets.release import build_release
from orchestration.assets.web_event_days import build_web_event_days
from orchestration.dbt import manifest
from orchestration.jobs import backfill, nightly
from orchestration.resources import Warehouse, WriterLock
from orchestration.schedules import nightly_schedule
from orchestration.sensors import new_files_sensor


def build_defs(**overrides: Any) -> dg.Definitions:
    """The definitions; `overrides` replace resources by name, so that tests can swap them."""
    warehouse: Warehouse = overrides.get("warehouse") or Warehouse()
    settings = warehouse.settings()
    project = manifest(settings)
    raw = build_raw(project)
    layers = build_layers(project)
    _, core, marts = layers
    release = build_release(project)
    steps = [raw, *layers, release]
    days = build_web_event_days(settings)
    return dg.Definitions(
        assets=[days, *steps, build_known_on(project, core, marts)],
        asset_checks=build_gates(project, steps, settings),
        jobs=[nightly, backfill],
        schedules=[nightly_schedule(settings)],
        sensors=[new_files_sensor],
        resources={
            "warehouse": warehouse,
            "writer_lock": WriterLock(warehouse=warehouse),
            **overrides,
        },
        # Whatever is started by hand is to hold the lock throughout, too.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of this process's environment, made when Dagster asks for them."""
    return build_defs()
