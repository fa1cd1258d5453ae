"""Nights of a small warehouse: the real frame around a dbt project of a few models.

What is protected here is how a night goes, not what the tables hold.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
)

from expectations.rules import Rule
from orchestration import dbt, gates
from orchestration.definitions import build_defs
from orchestration.gates import GateResult
from orchestration.resources import PROGRESS, Warehouse
from orchestration.settings import Settings

SMALL_PROJECT = Path(__file__).parent / "small_project"

SEEDS = {
    "sources.csv": "source\nshop\nother\n",
    "funnels.csv": "funnel_id,subject_type,order_mode\nweb,user,ordered\n",
    "funnel_stages.csv": "funnel_id,stage_position,stage_id\nweb,1,visit\nweb,2,cart\n",
    "stage_rules.csv": "funnel_id,stage_id,rule_type,match_value\n"
    "web,visit,event,visit\nweb,cart,event,cart\n",
}
EVENTS = (
    "occurred_at,event_name,user_id\n2026-01-01T10:00:00Z,visit,u1\n2026-01-01T11:00:00Z,cart,u1\n"
)


@dataclass
class Nights:
    """A warehouse in a folder of its own, and what its nights said.

    Attributes:
        changed: settings of it, by name.
        findings: what the gate of a layer finds, instead of running its suite.
        lines: the lines of progress of all nights.
    """

    changed: dict[str, str]
    findings: dict[str, list[GateResult]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The settings of its nights."""
        return Settings.from_environment({}, self.changed)

    def deliver(self, file: str, text: str) -> None:
        """Put a file into the landing, by its path there."""
        path = self.settings.landing / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(
        self, only: dg.AssetKey | None = None, **run_settings: str
    ) -> dg.ExecuteInProcessResult:
        """One night, or `only` one asset; `run_settings` change those of the environment."""
        return self._execute("nightly", run_settings, asset_selection=[only] if only else None)

    def run_backfill(self, first: str, last: str) -> dg.ExecuteInProcessResult:
        """The job that reads the web events of these days again, as Dagster starts it for them."""
        span = {ASSET_PARTITION_RANGE_START_TAG: first, ASSET_PARTITION_RANGE_END_TAG: last}
        return self._execute("backfill", {}, tags=span)

    def _execute(
        self, job: str, run_settings: Mapping[str, str], **options: Any
    ) -> dg.ExecuteInProcessResult:
        defs = build_defs(warehouse=Warehouse(changed_settings=self.changed))
        resources = {
            "warehouse": {"config": {"changed_settings": {**self.changed, **run_settings}}}
        }
        with dg.DagsterInstance.ephemeral() as instance, self._listening():
            return defs.resolve_job_def(job).execute_in_process(
                **options,
                instance=instance,
                raise_on_error=False,
                run_config={
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                    "resources": resources,
                },
            )

    @contextmanager
    def _listening(self) -> Iterator[None]:
        nights = self

        class Listener(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                nights.lines.append(record.getMessage())

        listener = Listener()
        PROGRESS.addHandler(listener)
        PROGRESS.setLevel(logging.INFO)
        try:
            yield
        finally:
            PROGRESS.removeHandler(listener)


def steps_done(result: dg.ExecuteInProcessResult) -> list[str]:
    """The steps that went well, in their order."""
    return [event.step_key or "" for event in result.all_events if event.is_step_success]


def failed_step(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    """The step that failed, and its words."""
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            if data.user_failure_data and data.user_failure_data.description:
                return event.step_key or "", data.user_failure_data.description
            error = data.error.cause if data.error and data.error.cause else data.error
            return event.step_key or "", error.message if error else ""
    raise AssertionError("no step failed")


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of the small project, made once: it is the same in every test."""
    home = tmp_path_factory.mktemp("parsed")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(dbt, "PROJECT", SMALL_PROJECT)
        dbt.manifest(Settings.from_environment({}, {"FUNNEL_HOME": str(home)}))
    (manifest,) = (home / "dbt").glob("manifest-*.json")
    return manifest


@pytest.fixture
def nights(tmp_path: Path, parsed: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A small warehouse with one file in its landing, before its first night."""
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for name, text in SEEDS.items():
        (seeds / name).write_text(text, encoding="utf-8")
    made = Nights(
        {
            "FUNNEL_LANDING": str(tmp_path / "landing"),
            "FUNNEL_HOME": str(tmp_path / "home"),
            "FUNNEL_SEEDS": str(seeds),
        }
    )
    made.deliver("shop/events/2026-01-01.csv", EVENTS)

    made.settings.dbt.mkdir(parents=True)
    shutil.copy(parsed, made.settings.dbt)

    def suite_of(layer: str, *_: object) -> list[Rule]:
        rule = Rule(f"{layer}.volume", f"{layer}.things", "Enough.", "n", "", "", "", "")
        return [rule]

    def run_gate(layer: str, settings: Settings, run_id: str, *_: object) -> list[GateResult]:
        return gates.record(settings, run_id, layer, made.findings.get(layer, []))

    monkeypatch.setattr(dbt, "PROJECT", SMALL_PROJECT)
    monkeypatch.setattr(gates, "suite_of", suite_of)
    monkeypatch.setattr(gates, "run_gate", run_gate)
    return made
