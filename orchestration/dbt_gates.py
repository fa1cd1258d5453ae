"""Building a layer with dbt and holding its tests to account: their results as those of a gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration import dbt, gates
from orchestration.database import open_database
from orchestration.dbt import DbtRun, Layer, NodeResult
from orchestration.gates import GateResult
from orchestration.settings import Settings

# The test of a model's columns, whose rows say which are null and how often (tests/generic).
NEVER_NULL = "never_null"


@dataclass(frozen=True)
class Tested:
    """What became of the nodes of a layer, and of its tests, by dbt's name of the node.

    Attributes:
        ran: all nodes.
        results: the tests as gate results.
        trouble: what is wrong, in words for whoever is woken; empty if nothing is.
    """

    ran: DbtRun
    results: Mapping[str, GateResult]
    trouble: str


def build_layer(
    settings: Settings,
    run_id: str,
    layer: Layer,
    manifest: Mapping[str, Any],
    on_finished: Callable[[str], None] | None = None,
) -> Tested:
    """Build a layer, test it and keep the results.

    A test whose finding somebody accepted is left out of a second attempt, since dbt builds
    nothing behind a test that fails.

    Raises:
        dbt.DbtError: dbt could not run at all.
    """
    arguments = dbt.build_arguments(settings, layer)
    tested = _run(settings, run_id, layer.name, arguments, manifest, on_finished)
    accepted = [
        manifest["nodes"][unique_id]["name"]
        for unique_id, result in tested.results.items()
        if result.status == "accepted"
    ]
    if not accepted or tested.trouble:
        return tested
    arguments = dbt.build_arguments(settings, layer, accepted)
    again = _run(settings, run_id, layer.name, arguments, manifest, on_finished)
    return Tested(
        tested.ran.followed_by(again.ran), {**tested.results, **again.results}, again.trouble
    )


def test_sources(settings: Settings, run_id: str, manifest: Mapping[str, Any]) -> Tested:
    """Test what the loader made, and keep the results.

    Raises:
        dbt.DbtError: dbt could not run at all.
    """
    return _run(settings, run_id, "raw", dbt.source_test_arguments(settings), manifest)


def _run(
    settings: Settings,
    run_id: str,
    layer: str,
    arguments: list[str],
    manifest: Mapping[str, Any],
    on_finished: Callable[[str], None] | None = None,
) -> Tested:
    ran = dbt.run(settings, arguments, on_finished)
    _refuse_unknown(ran, manifest)
    found = {
        result.unique_id: _gate_result(settings, layer, result, manifest)
        for result in ran.results
        if _is_test(result) and result.status in ("pass", "warn", "fail")
    }
    recorded = gates.record(settings, run_id, layer, found.values())
    results = dict(zip(found, recorded, strict=True))
    broken = [
        f"{_where(result, manifest)}: {result.message.strip() or result.status}"
        for result in ran.failures
        if result.unique_id not in results
    ]
    trouble = [*broken, gates.failures_text(recorded)]
    return Tested(ran, results, "\n\n".join(filter(None, trouble)))


def _is_test(result: NodeResult) -> bool:
    return result.unique_id.startswith("test.")


def _where(result: NodeResult, manifest: Mapping[str, Any]) -> str:
    node = _node(result.unique_id, manifest)
    return f"{node['original_file_path']} ({node['name']})"


def _node(unique_id: str, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    for kind in ("nodes", "sources"):
        if unique_id in manifest[kind]:
            node: Mapping[str, Any] = manifest[kind][unique_id]
            return node
    raise KeyError(unique_id)


def _refuse_unknown(ran: DbtRun, manifest: Mapping[str, Any]) -> None:
    known = {*manifest["nodes"], *manifest["sources"]}
    unknown = sorted({result.unique_id for result in ran.results} - known)
    if unknown:
        raise dbt.DbtError(
            f"dbt: expected the project as it was when the run started, found {unknown[0]} and "
            f"{len(unknown) - 1} more. Its files were changed meanwhile: run again."
        )


def _gate_result(
    settings: Settings, layer: str, result: NodeResult, manifest: Mapping[str, Any]
) -> GateResult:
    test = manifest["nodes"][result.unique_id]
    table = _node(dbt.node_shown_on(test, manifest), manifest)
    compiled = result.compiled
    return GateResult(
        gate=f"{layer}.{test['name']}",
        table=f"{table['schema']}.{table.get('alias') or table['name']}",
        rule=(test.get("description") or _rule_in_words(test)).strip(),
        status="failed" if result.status == "fail" else "passed",
        observed=_observed(settings, test, result),
        expected="no such row",
        offending_rows=_sql_of(compiled) if result.failures and compiled else "",
        kind="dbt_test",
    )


def _rule_in_words(test: Mapping[str, Any]) -> str:
    columns = _arguments(test).get("columns") or [test.get("column_name")]
    kind = _kind(test)
    if kind and all(columns):
        return f"{', '.join(columns)}: {kind}."
    return f"{kind or test['name']}."


def _observed(settings: Settings, test: Mapping[str, Any], result: NodeResult) -> str:
    failures = result.failures or 0
    if failures and result.compiled and _kind(test) == NEVER_NULL:
        with open_database(settings, settings.build, read_only=True) as connection:
            nulls = connection.execute(result.compiled.read_text(encoding="utf-8")).fetchall()
        return ", ".join(
            f"{column} is null in {rows:,} row{'s' * (rows != 1)}" for column, rows in nulls
        )
    return "1 row that breaks it" if failures == 1 else f"{failures:,} rows that break it"


def _kind(test: Mapping[str, Any]) -> str | None:
    return (test.get("test_metadata") or {}).get("name")


def _arguments(test: Mapping[str, Any]) -> Mapping[str, Any]:
    return (test.get("test_metadata") or {}).get("kwargs") or {}


def _sql_of(compiled: Path) -> str:
    return " ".join(compiled.read_text(encoding="utf-8").split()) if compiled.is_file() else ""
