"""Gate results as Dagster's asset checks."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from orchestration.gates import GateResult


def check_result(key: dg.AssetCheckKey, results: Sequence[GateResult]) -> dg.AssetCheckResult:
    """The results behind one check: of a test, or of all that a rule of a suite was held against.

    A failure that somebody accepted passes, and says so.
    """
    failed = [result for result in results if result.status == "failed"]
    accepted = [result for result in results if result.status == "accepted"]
    shown = failed or accepted or list(results)
    described = "; ".join(
        f"accepted: {result.reason}" if result.reason else f"{result.gate}: {result.observed}"
        for result in [*failed, *accepted]
    )
    metadata: dict[str, dg.MetadataValue] = {
        "rule": dg.MetadataValue.text(shown[0].rule if shown else "nothing to judge yet"),
        "results": dg.MetadataValue.md(_as_table(shown)),
    }
    if failed and failed[0].offending_rows:
        metadata["rows"] = dg.MetadataValue.md(f"```sql\n{failed[0].offending_rows}\n```")
    return dg.AssetCheckResult(
        check_name=key.name,
        asset_key=key.asset_key,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=described or None,
        metadata=metadata,
    )


def _as_table(results: Sequence[GateResult]) -> str:
    rows = [
        "| " + " | ".join(_cell(text) for text in (result.gate, result.observed, result.expected))
        for result in results
    ]
    return "\n".join(["| gate | observed | expected", "|---|---|---", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
