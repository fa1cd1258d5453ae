"""The funnel as it was known on past dates: kept before the mart that shows it is built."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration import declarations
from orchestration.assets.release import as_of_of_build
from orchestration.dbt_translator import LayerTranslator
from orchestration.known_on import SCHEMA, keep_known_dates
from orchestration.resources import PROGRESS, Warehouse, WriterLock


def build_known_on(
    manifest: Mapping[str, Any], core: dg.AssetsDefinition, marts: dg.AssetsDefinition
) -> dg.AssetsDefinition:
    """The asset that is dbt's source of the past dates.

    It stands behind the gate of the core, although nothing of the core goes into it: where tonight
    cannot be trusted, nobody waits for the past.
    """
    translator = LayerTranslator()
    (source,) = (
        unique_id for unique_id, node in manifest["sources"].items() if node["schema"] == SCHEMA
    )
    spec = translator.get_asset_spec(manifest, source, None).replace_attributes(
        deps=sorted(core.keys & set(marts.dependency_keys)),
        kinds={"dbt", "duckdb", "parquet"},
    )

    @dg.multi_asset(
        name="known_on",
        specs=[spec],
        description="Builds the funnel of each date in known_on_dates.csv from what was known on "
        "it, unless it is kept already and nothing that it follows from has changed.",
    )
    def known_on(
        context: dg.AssetExecutionContext, warehouse: Warehouse, writer_lock: WriterLock
    ) -> dg.MaterializeResult[Any]:
        settings = warehouse.settings()
        declared = declarations.read(settings.declarations)
        kept = keep_known_dates(settings, declared, as_of_of_build(settings), _tell)
        return dg.MaterializeResult(
            asset_key=spec.key,
            metadata={
                "dates": len(kept),
                "built": [str(date.known_on) for date in kept if date.seconds is not None],
            },
        )

    return known_on


def _tell(line: str) -> None:
    PROGRESS.info(f"known on     {line}")
