"""What happens when a step of a night fails: it is logged, and told to a webhook."""

from __future__ import annotations

import dagster as dg

from orchestration.releases import ReleaseError, current_release
from orchestration.resources import Warehouse
from orchestration.settings import Settings
from orchestration.webhook import post


@dg.failure_hook(required_resource_keys={"warehouse"})
def report_failure(context: dg.HookContext) -> None:
    """Log which step failed and why, and post it as JSON to FUNNEL_WEBHOOK_URL."""
    warehouse: Warehouse = context.resources.warehouse
    error = describe(context.op_exception)
    trouble = report(warehouse.settings(), context.job_name, context.run_id, context.op.name, error)
    context.log.error(f"{context.op.name} failed. {error}")
    if trouble:
        context.log.warning(trouble)


def report(settings: Settings, job: str, run_id: str, step: str, error: str) -> str:
    """Post a failure to the webhook, if one is configured.

    Returns:
        Why it could not be posted, without the address, which may hold a secret; empty if it was.
    """
    if not settings.webhook_url:
        return ""
    trouble = post(settings.webhook_url, failure_message(settings, job, run_id, step, error))
    return f"The failure could not be told to the webhook: {trouble}." if trouble else ""


def failure_message(
    settings: Settings, job: str, run_id: str, step: str, error: str
) -> dict[str, str]:
    """What is posted: `text` for a chat, and the same in parts for a program."""
    served = served_release(settings)
    return {
        "text": f"Funnel Warehouse: {job} failed at {step}. {error}\n{served}",
        "job": job,
        "run_id": run_id,
        "step": step,
        "error": error,
        "served": served,
    }


def describe(error: BaseException | None) -> str:
    """The words of an error, without those that Dagster puts around it."""
    if isinstance(error, dg.Failure):
        return error.description or "no reason given"
    return f"{type(error).__name__}: {error}" if error else "no reason given"


def served_release(settings: Settings) -> str:
    """Which release readers have, in a sentence."""
    try:
        release = current_release(settings)
    except ReleaseError as error:
        return str(error)
    if release is None:
        return "Nothing is published yet."
    return f"Readers still have the release {release.release_id}."
