"""What Dagster knows of the warehouse: its assets, checks, jobs, schedules and sensors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.repository_definition import RepositoryDefinition

from orchestration import dbt, gates
from orchestration.dbt_translator import OWNERS
from orchestration.definitions import build_defs
from orchestration.extracts import known_systems, read_extracts
from orchestration.resources import Warehouse
from orchestration.settings import Settings


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"FUNNEL_HOME": str(tmp_path_factory.mktemp("home"))}


@pytest.fixture(scope="module")
def defs(changed: dict[str, str]) -> dg.Definitions:
    return build_defs(warehouse=Warehouse(changed_settings=changed))


@pytest.fixture(scope="module")
def manifest(changed: dict[str, str]) -> dict[str, Any]:
    return dbt.manifest(Settings.from_environment(changed=changed))


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def checks(defs: dg.Definitions) -> list[dg.AssetCheckSpec]:
    made = [*(defs.assets or ()), *(defs.asset_checks or ())]
    return [
        spec for each in made if isinstance(each, dg.AssetsDefinition) for spec in each.check_specs
    ]


def test_jobs_schedules_and_sensors_are_these(defs: dg.Definitions) -> None:
    """One that was added by accident would start by itself; one that got lost would not."""
    repository: RepositoryDefinition = defs.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} == {
        "nightly",
        "backfill",
        "__ASSET_JOB",
    }
    assert [schedule.name for schedule in repository.schedule_defs] == ["nightly_schedule"]
    assert [sensor.name for sensor in repository.sensor_defs] == ["new_files_sensor"]


def test_raw_and_release_are_these(specs: dict[str, dg.AssetSpec]) -> None:
    """A delivered table that is no asset would not be rebuilt when it changes."""
    by_group = {name for name, spec in specs.items() if spec.group_name in ("raw", "release")}
    delivered = {
        f"{system}/{table}" for system in known_systems() for table in read_extracts(system)
    }
    assert by_group - delivered == {
        "raw/deliveries",
        "raw/loads",
        "raw/quarantined_rows",
        "release",
        "web_event_days",
    }
    assert delivered <= by_group
    assert "generic/records" in delivered


def test_tables_everyone_asks_for_are_assets_of_core_and_marts(
    specs: dict[str, dg.AssetSpec],
) -> None:
    """A mart that moved to another folder would be published without its gate."""
    groups = {name: spec.group_name for name, spec in specs.items()}
    for table in ("fct_journeys", "fct_journey_stages", "fct_stage_visits", "dim_funnels"):
        assert groups[f"core/{table}"] == "core"
    marts = ("funnel_conversion", "conversion_matrix", "drop_off_points", "cycle_times")
    for table in (*marts, "after_drop_off", "conversion_differences"):
        assert groups[f"marts/{table}"] == "marts"


def test_every_model_and_seed_is_an_asset(
    specs: dict[str, dg.AssetSpec], manifest: dict[str, Any]
) -> None:
    """A model that no layer selects is never built."""
    nodes = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed")
        and node["config"]["materialized"] != "ephemeral"
    }
    assert nodes
    assert nodes == {
        spec.metadata["dagster_dbt/unique_id"]
        for name, spec in specs.items()
        if spec.group_name not in ("raw", "release") and name != "known_on/funnel_conversion"
    }


def test_every_asset_has_group_owner_and_description(specs: dict[str, dg.AssetSpec]) -> None:
    """Whoever looks at a failure could not see what the table is, nor whom to ask."""
    assert {spec.group_name for spec in specs.values()} == set(OWNERS)
    for name, spec in specs.items():
        assert spec.owners == [OWNERS[spec.group_name or ""]], name
        assert (spec.description or "").strip(), name


def test_every_dbt_test_is_a_blocking_check(
    checks: list[dg.AssetCheckSpec], manifest: dict[str, Any]
) -> None:
    """A test that is no check fails without stopping what comes after it."""
    tests = {name for name in manifest["nodes"] if name.startswith("test.")}
    assert tests
    checked = {check.metadata["dagster_dbt/unique_id"] for check in checks if check.metadata}
    assert tests - checked == set()
    # An alert is news, no mistake: it stops nothing.
    assert {check.name for check in checks if not check.blocking} == {"metrics_are_as_expected"}


def test_every_rule_of_the_gates_is_a_check(
    checks: list[dg.AssetCheckSpec], changed: dict[str, str]
) -> None:
    """A rule that is not shown can fail a night, and nobody finds it."""
    settings = Settings.from_environment(changed=changed)
    rules = {
        re.sub(r"^\w+\.", "", rule.gate).replace(".", "_")
        for layer in gates.LAYERS
        for rule in gates.suite_of(layer, settings)
    }
    assert rules <= {check.name for check in checks}
    assert [check.name for check in checks].count("gate") == len(gates.LAYERS)


def test_each_step_waits_for_the_gate_before_it(defs: dg.Definitions) -> None:
    """Dagster holds back only what is made of the asset that has the failing check."""
    job = defs.resolve_job_def("nightly")
    dependencies = {
        str(node.name): {
            upstream.node for inputs in deps.values() for upstream in inputs.get_node_dependencies()
        }
        for node, deps in job.graph.dependencies.items()
    }
    for gate, step in (
        ("gate_raw", "staging"),
        ("gate_staging", "core"),
        ("gate_core", "known_on"),
        ("gate_core", "marts"),
        ("gate_marts", "release"),
    ):
        assert gate in dependencies[step]


def test_resources_can_be_swapped(changed: dict[str, str], tmp_path: Path) -> None:
    """A test would write into the warehouse of whoever runs it."""
    other = Warehouse(changed_settings={**changed, "FUNNEL_LANDING": str(tmp_path)})
    swapped = build_defs(warehouse=other).resources or {}
    assert swapped["warehouse"] is other
