"""Running the night inside this process, and what became of it in few words."""

from __future__ import annotations

import re
from dataclasses import dataclass

import dagster as dg

from orchestration.summary import Failure

# Dagster would print its debug log; it keeps it with the run in any case.
SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Outcome:
    """How a run ended: whether it published, and why it failed if it did."""

    run_id: str
    has_published: bool
    failure: Failure | None


def run_in_process(defs: dg.Definitions, instance: dg.DagsterInstance) -> Outcome:
    """Run the job `nightly` to its end."""
    job = defs.resolve_job_def("nightly")
    result = job.execute_in_process(instance=instance, raise_on_error=False, run_config=SILENT)
    published = bool(result.asset_materializations_for_node("release")) if result.success else False
    return Outcome(result.run_id, published, None if result.success else _failure(result))


def _failure(result: dg.ExecuteInProcessResult) -> Failure:
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            words = data.user_failure_data.description if data.user_failure_data else None
            return Failure(event.step_key or "", words or _words(data.error), is_reported=True)
    for event in result.all_events:
        if event.is_run_failure:
            words = _words(event.job_failure_data.error) or event.message or ""
            return Failure("the start of the run", words)
    return Failure("an unknown step", "Dagster reported no error.")


def _words(error: dg.SerializableErrorInfo | None) -> str:
    """What the error said first, without Dagster's errors around it and the name of our own."""
    while error and error.cause:
        error = error.cause
    if error is None:
        return "no reason given"
    if error.cls_name == "DagsterExecutionInterruptedError":
        return "The run was stopped by a signal before it ended."
    return re.sub(r"^(orchestration|expectations)\.[\w.]+: ", "", error.message)
