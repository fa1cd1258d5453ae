"""The page that tells what is behind everything a night can say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from expectations import core, marts, raw, staging
from orchestration import refusals
from orchestration.dbt import LAYERS, PROJECT
from orchestration.declaration_tables import METRICS_OF_STAGES
from orchestration.extracts import LOADER
from orchestration.readers import WHOLE_ROW_REASONS
from orchestration.values import TYPE_CHECKS

PAGE = (PROJECT / "docs" / "runbook.md").read_text(encoding="utf-8")


def named_in(heading: str) -> set[str]:
    """What stands in code in the first column of the table below a heading."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(f"{heading}\n"))
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return {name for line in lines for name in re.findall(r"`([\w.]+)`", line.split(" | ")[0])}


def test_every_gate_is_on_the_page() -> None:
    """Prevents a gate that wakes somebody who then finds nothing about it."""
    suites = [
        *raw.rules(max_quarantine_share=0.05, as_of=None),
        *staging.rules(max_quarantine_share=0.05),
        *core.rules(),
        *marts.rules(),
    ]
    assert named_in("A gate fails") == {rule.gate for rule in suites}


def test_every_kind_of_dbt_test_is_on_the_page() -> None:
    """Prevents the same for a test of rows."""
    own = {path.stem for path in (PROJECT / "tests" / "generic").glob("*.sql")}
    of_dbt = {"not_null", "unique", "relationships", "accepted_values"}
    assert named_in("A dbt test fails") == own | of_dbt


def test_every_reason_to_refuse_a_file_is_on_the_page() -> None:
    """Prevents a refusal that nobody knows the cause of."""
    kinds = [
        kind
        for kind in vars(refusals).values()
        if isinstance(kind, type)
        and issubclass(kind, refusals.DeliveryError)
        and kind is not refusals.DeliveryError
    ]
    assert named_in("A file is refused") == {kind("", "", "").reason for kind in kinds}


def test_every_reason_to_set_a_row_aside_is_on_the_page() -> None:
    """Prevents a reason that is one word and nothing else."""
    at_loading = {
        word
        for check in TYPE_CHECKS.values()
        for word in re.findall(r"'([a-z]+_[a-z_]+)'", check.reason)
    }
    expected = at_loading | set(WHOLE_ROW_REASONS) | set(_reasons_of_staging())
    assert named_in("Rows are quarantined") == expected


def test_every_step_and_every_watched_metric_is_on_the_page() -> None:
    """Prevents a failed step or an alert about which nothing is said."""
    layers = {layer.name for layer in LAYERS}
    gates = {f"gate_{layer}" for layer in (*layers, "raw")}
    expected = {*layers, *gates, "web_event_days", "landing_to_raw", "known_on", "release"}
    assert named_in("A step failed") == expected
    assert named_in("An alert") == {"entries", *METRICS_OF_STAGES}


def _reasons_of_staging() -> Iterator[str]:
    path = PROJECT / "models/staging/all_sources/_all_sources__models.yml"
    models = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)["models"]
    (model,) = (model for model in models if model["name"] == "stg_quarantined_rows")
    (column,) = (column for column in model["columns"] if column["name"] == "reason")
    yield from column["data_tests"][0]["accepted_values"]["arguments"]["values"]
