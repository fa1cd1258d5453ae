"""Dagster's own home under FUNNEL_HOME: its configuration, its runs, its user interface."""

from __future__ import annotations

import contextlib
import json
import os
import sys

import dagster as dg

from orchestration.lock import LockHeldError, writer_lock
from orchestration.settings import Settings

CONFIGURATION = """\
# Written by Funnel Warehouse at every start; changes here are lost.
event_log_storage:
  module: orchestration.event_log
  class: EventLog
  config:
    base_dir: {events}
telemetry:
  enabled: false
nux:
  # No invitation to subscribe to anything on the first page.
  enabled: false
concurrency:
  runs:
    # A second run would only wait for the writer lock, and fail.
    max_concurrent_runs: 1
run_monitoring:
  # A run whose process has died would otherwise count as running for ever.
  enabled: true
python_logs:
  managed_python_loggers: [funnel_warehouse]
  python_log_level: INFO
"""

HOST, PORT = "127.0.0.1", "3000"


def environment(settings: Settings) -> dict[str, str]:
    """What Dagster and all that it starts are to find in the environment."""
    return {"DAGSTER_HOME": str(settings.dagster), "DAGSTER_DISABLE_TELEMETRY": "1"}


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's instance, with its home made and configured."""
    settings.dagster.mkdir(parents=True, exist_ok=True)
    configuration = settings.dagster / "dagster.yaml"
    # JSON is YAML, whatever characters the path has.
    events = json.dumps(str(settings.dagster / "history" / "runs"), ensure_ascii=False)
    text = CONFIGURATION.format(events=events)
    if not configuration.exists() or configuration.read_text() != text:
        configuration.write_text(text)
    os.environ.update(environment(settings))
    return dg.DagsterInstance.get()


def end_dead_runs(settings: Settings, instance: dg.DagsterInstance) -> None:
    """Mark as failed the runs that count as running though their process has died.

    Every run holds the writer lock, so while it is free none is alive.

    Raises:
        LockHeldError: a run is alive.
    """
    with writer_lock(settings.home, "a look at the last runs"):
        started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
        for run in instance.get_runs(started):
            instance.report_run_failed(run, "The process of this run ended before the run did.")


def serve(settings: Settings, arguments: list[str]) -> None:
    """Serve Dagster's user interface and daemon on loopback, in place of this process."""
    instance = open_instance(settings)
    # A run that is at work is no reason not to look at it.
    with contextlib.suppress(LockHeldError):
        end_dead_runs(settings, instance)
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    os.execv(
        sys.executable,
        [
            # As a module, so that it finds the module of its event log in the working directory.
            *(sys.executable, "-m", "dagster"),
            *("dev", "--module-name", "orchestration.definitions"),
            *("--host", HOST, "--port", PORT, *arguments),
        ],
    )
