"""The gates of whole deliveries: one step after each layer, one blocking check a rule of a suite.

What a gate holds is in `expectations`, what becomes of its results in `orchestration.gates`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from orchestration import gates
from orchestration.assets.checks import check_result
from orchestration.dbt_gates import Tested, test_sources
from orchestration.dbt_translator import LayerTranslator
from orchestration.gates import GateResult
from orchestration.resources import PROGRESS, Warehouse, WriterLock
from orchestration.settings import Settings

# Dagster holds back what is made of an asset that has a check, and nothing else. So each gate has
# one check of everything, on an asset that the next step is made of.
WHOLE_GATE = "gate"


def build_gates(
    manifest: Mapping[str, Any], steps: Sequence[dg.AssetsDefinition], settings: Settings
) -> list[dg.AssetChecksDefinition]:
    """One gate between any two of the steps: the first one with dbt's tests of the sources."""
    return [
        _gate(layer, before, after, manifest, settings)
        for layer, before, after in zip(gates.LAYERS, steps[:-1], steps[1:], strict=True)
    ]


def _gate(
    layer: str,
    assets: dg.AssetsDefinition,
    next_step: dg.AssetsDefinition,
    manifest: Mapping[str, Any],
    settings: Settings,
) -> dg.AssetChecksDefinition:
    anchor = min(assets.keys & set(next_step.dependency_keys))
    whole = dg.AssetCheckSpec(
        name=WHOLE_GATE,
        asset=anchor,
        description=f"Everything that must be true before {next_step.node_def.name}.",
        blocking=True,
    )
    suite = gates.suite_of(layer, settings)
    # By table, of which there are few: each look-up takes a hundredth of a second.
    shown_on = {
        table: _asset_of(table, assets, manifest) or anchor
        for table in {rule.table for rule in suite}
    }
    rules = {
        _check_name(rule.gate): dg.AssetCheckSpec(
            name=_check_name(rule.gate),
            asset=shown_on[rule.table],
            description=rule.rule,
            blocking=True,
        )
        for rule in suite
    }
    source_tests = _source_tests(manifest) if layer == "raw" else {}

    @dg.multi_asset_check(
        name=f"gate_{layer}",
        description=f"What must be true of the whole delivery after {layer}.",
        specs=[whole, *rules.values(), *source_tests.values()],
    )
    def gate(
        context: dg.AssetCheckExecutionContext, warehouse: Warehouse, writer_lock: WriterLock
    ) -> Iterator[dg.AssetCheckResult]:
        settings, run_id = warehouse.settings(), context.op_execution_context.run.run_id
        tested = test_sources(settings, run_id, manifest) if source_tests else None
        for unique_id, spec in source_tests.items():
            if tested and unique_id in tested.results:
                yield check_result(spec.key, [tested.results[unique_id]])
        results = gates.run_gate(layer, settings, run_id, settings.as_of)
        for name, spec in rules.items():
            yield check_result(spec.key, [r for r in results if _rule_of(r, rules) == name])
        trouble = [tested.trouble if tested else "", gates.failures_text(results)]
        yield dg.AssetCheckResult(
            check_name=whole.name, asset_key=whole.asset_key, passed=not any(trouble)
        )
        if any(trouble):
            raise dg.Failure("\n\n".join(filter(None, trouble)), allow_retries=False)
        PROGRESS.info(progress_line(layer, results, tested))

    return gate


def progress_line(layer: str, results: Sequence[GateResult], tested: Tested | None) -> str:
    """What a person reads about a gate that let the night through."""
    accepted = [result for result in results if result.status == "accepted"]
    tests = f"{len(tested.results)} tests, " if tested else ""
    line = f"gate {layer:<7} {tests}{len(results)} expectations hold"
    return line + f", {len(accepted)} of them accepted" * bool(accepted)


def _source_tests(manifest: Mapping[str, Any]) -> dict[str, dg.AssetCheckSpec]:
    translator = LayerTranslator()
    found: dict[str, dg.AssetCheckSpec] = {}
    for source in manifest["sources"]:
        spec = translator.get_asset_spec(manifest, source, None)
        for child in manifest["child_map"][source]:
            if child.startswith("test.") and child not in found:
                check = translator.get_asset_check_spec(spec, manifest, child, None)
                if check:
                    found[child] = check
    return found


def _check_name(gate: str) -> str:
    return gate.partition(".")[2].replace(".", "_")


def _rule_of(result: GateResult, names: Mapping[str, Any]) -> str:
    """The check that a result belongs to: the longest that its gate's name begins with."""
    gate = _check_name(result.gate)
    return max((name for name in names if gate.startswith(name)), key=len)


def _asset_of(
    table: str, assets: dg.AssetsDefinition, manifest: Mapping[str, Any]
) -> dg.AssetKey | None:
    """The asset that shows a rule's result: its table, if it is one of the layer.

    Never one of another layer: a check that blocks must not wait for what it blocks.
    """
    translator = LayerTranslator()
    for unique_id, node in (*manifest["nodes"].items(), *manifest["sources"].items()):
        name = node.get("alias") or node.get("identifier") or node["name"]
        if f"{node['schema']}.{name}" == table:
            key = translator.get_asset_spec(manifest, unique_id, None).key
            if key in assets.keys:
                return key
    return None
