"""The events of a run in Dagster's own database: what others see of it, and what stays open."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from orchestration import event_log
from orchestration.event_log import EventLog
from orchestration.instance import environment, open_instance
from orchestration.settings import Settings

KEY = dg.AssetKey("made")
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dg.multi_asset(specs=[dg.AssetSpec(KEY)], check_specs=[dg.AssetCheckSpec("is_whole", asset=KEY)])
def made() -> Iterator[dg.MaterializeResult[None]]:
    checked = dg.AssetCheckResult(check_name="is_whole", passed=True)
    yield dg.MaterializeResult(asset_key=KEY, check_results=[checked])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home") / "a home: größer"
    return Settings.from_environment({}, {"FUNNEL_HOME": str(home)})


@pytest.fixture(scope="module")
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as patched:
        for name in environment(settings):
            patched.setenv(name, "")
        with open_instance(settings) as instance:
            yield instance


@pytest.fixture(scope="module")
def run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    job = dg.Definitions(assets=[made]).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, run_config=SILENT).dagster_run


@pytest.fixture(scope="module")
def databases(settings: Settings) -> Path:
    return settings.dagster / "history" / "runs"


def test_another_process_sees_all_events_while_the_databases_are_open(
    databases: Path, run: dg.DagsterRun
) -> None:
    """The user interface would show a night without its assets and checks until it has ended."""
    for name in (run.run_id, "index"):
        with closing(sqlite3.connect(databases / f"{name}.db")) as connection:
            found = connection.execute("select dagster_event_type from event_logs").fetchall()
        kinds = {kind for (kind,) in found}
        assert kinds >= {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "PIPELINE_SUCCESS"}


def test_dagster_shows_the_asset_and_the_check_of_the_run(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> None:
    """A run without its results would be listed, and nobody could see what it did."""
    made_last = instance.get_latest_materialization_event(KEY)
    assert made_last and made_last.run_id == run.run_id
    checks = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(KEY, "is_whole"), limit=5
    )
    assert [(check.run_id, check.status.value) for check in checks] == [(run.run_id, "SUCCEEDED")]


def test_each_event_is_told_to_those_who_watch_the_run(
    databases: Path, instance: dg.DagsterInstance, run: dg.DagsterRun
) -> None:
    """Whoever follows a night would see nothing move: what is new is not in the watched file."""
    watched = databases / f"{run.run_id}.db"
    before = watched.stat().st_mtime_ns
    instance.report_engine_event("something new", run)
    assert watched.stat().st_mtime_ns > before


def test_a_look_at_many_runs_leaves_few_databases_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user interface that lists the runs of a year would use up the files it may have open."""
    monkeypatch.setattr(event_log, "MOST_OPEN", 3)
    log = EventLog(str(tmp_path))
    for number in range(5):
        assert log.get_logs_for_run(f"run {number}") == []
        assert len(log._engines) <= 3
    log.dispose()
