"""The layers that dbt builds: one step a layer, one asset a model, one blocking check a test."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from orchestration import dbt
from orchestration.assets.checks import check_result
from orchestration.dbt_gates import Tested, build_layer
from orchestration.dbt_translator import UNIQUE_ID, LayerTranslator
from orchestration.layer_progress import LayerProgress
from orchestration.name_notes import UNMATCHED, name_notes
from orchestration.notes import keep_notes
from orchestration.resources import PROGRESS, Warehouse, WriterLock
from orchestration.table_metadata import table_metadata


def build_layers(manifest: Mapping[str, Any]) -> list[dg.AssetsDefinition]:
    """One multi-asset a layer of `dbt.LAYERS`."""
    return [_layer_assets(layer, manifest) for layer in dbt.LAYERS]


def _layer_assets(layer: dbt.Layer, manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        select=" ".join(layer.select),
        name=layer.name,
        dagster_dbt_translator=LayerTranslator(),
    )
    def build(
        context: dg.AssetExecutionContext, warehouse: Warehouse, writer_lock: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        settings = warehouse.settings()
        specs = {
            spec.metadata[UNIQUE_ID]: spec
            for spec in context.assets_def.specs
            if spec.key in context.selected_asset_keys
        }
        asked = layer
        if context.is_subset:
            names = sorted(manifest["nodes"][unique_id]["name"] for unique_id in specs)
            asked = dbt.Layer(layer.name, select=tuple(names))
        progress = LayerProgress(settings, layer.name, specs, PROGRESS.info)
        tested = build_layer(settings, context.run.run_id, asked, manifest, progress.finish)
        built = {result.unique_id: result for result in tested.ran.results if result.is_ok}
        metadata = table_metadata(settings.build, [manifest["nodes"][name] for name in specs])
        # In the order in which dbt finished them: Dagster wants no asset before what it is made of.
        for unique_id, result in built.items():
            if unique_id in specs:
                seconds = {"seconds": round(result.seconds, 3)}
                yield dg.MaterializeResult(
                    asset_key=specs[unique_id].key, metadata={**metadata[unique_id], **seconds}
                )
        checks = {
            check.metadata[UNIQUE_ID]: check
            for check in context.assets_def.check_specs
            if check.key in context.selected_asset_check_keys
        }
        for unique_id, check in checks.items():
            found = tested.results.get(unique_id)
            if found:
                yield check_result(check.key, [found])
        if tested.trouble:
            raise dg.Failure(tested.trouble, allow_retries=False)
        # A test that looks at a table beside those asked for waits for a night with both.
        expected = {*specs} if context.is_subset else {*specs, *checks}
        _refuse_gaps(layer.name, expected, {*built, *tested.results})
        if not context.is_subset:
            progress.remember(tested.ran)
        PROGRESS.info(progress_line(layer.name, tested))
        # Before the gate, which may stop the night for what the names explain.
        if any(manifest["nodes"][name]["name"] == UNMATCHED for name in specs):
            notes = name_notes(settings)
            keep_notes(settings, context.run.run_id, notes)
            for note in notes:
                PROGRESS.info(f"{layer.name:<12} note: {note}")

    return build


def progress_line(layer: str, tested: Tested) -> str:
    """What a person reads about a layer that was built."""
    kinds = [result.unique_id.partition(".")[0] for result in tested.ran.results]
    words = {"seed": "declarations", "model": "models", "test": "tests"}
    counts = [f"{kinds.count(kind)} {word}" for kind, word in words.items() if kind in kinds]
    return f"{layer:<12} {', '.join(counts)}"


def _refuse_gaps(layer: str, expected: set[str], done: set[str]) -> None:
    """dbt succeeds when it has skipped or never selected a node; a layer with a gap must not."""
    missing = sorted(expected - done)
    if missing:
        raise dg.Failure(
            f"{layer}: expected dbt to run all {len(expected)} models and tests, found "
            f"that it left out {', '.join(missing)}. A test belongs to the latest layer that it "
            "looks at; `dbt ls` with the selection in orchestration/dbt.py tells more.",
            allow_retries=False,
        )
