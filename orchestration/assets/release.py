"""The release: what readers get, once everything before it has passed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dagster as dg
import duckdb

from orchestration import declarations, gates
from orchestration.dbt_translator import OWNERS
from orchestration.fingerprint import fingerprint
from orchestration.publish import NoRoomError, publish
from orchestration.published_tables import published_tables
from orchestration.release_database import DATABASE
from orchestration.releases import release_folder
from orchestration.resources import PROGRESS, Warehouse, WriterLock
from orchestration.settings import Settings

# Somebody who is told of a full disk may free room within minutes; more often would not help.
RETRIES, SECONDS_BETWEEN_RETRIES = 1, 60


def build_release(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The one asset that is published, made of all tables that are."""
    tables = published_tables(manifest)

    @dg.asset(
        name="release",
        group_name="release",
        owners=[OWNERS["release"]],
        description="The published, audited, immutable version of the marts that readers get "
        "through `published/current`.",
        deps=[dg.AssetKey([table.schema, table.name]) for table in tables],
        kinds={"duckdb", "parquet"},
    )
    def release(
        context: dg.AssetExecutionContext, warehouse: Warehouse, writer_lock: WriterLock
    ) -> dg.MaterializeResult[Any]:
        settings = warehouse.settings()
        results = gates.results_to_publish(settings, context.run.run_id)
        accepted = [result for result in results if result["status"] == "accepted"]
        try:
            published = publish(
                settings,
                tables,
                as_of=as_of_of_build(settings),
                fingerprint=fingerprint(settings, declarations.read(settings.declarations)),
                run_id=context.run.run_id,
                gates=[result for result in results if result["status"] != "accepted"],
                accepted=accepted,
            )
        except NoRoomError as error:
            if context.retry_number >= RETRIES:
                raise
            PROGRESS.info(f"release      {error} Trying again in {SECONDS_BETWEEN_RETRIES} s.")
            raise dg.RetryRequested(RETRIES, SECONDS_BETWEEN_RETRIES) from error
        folder = release_folder(settings.published, published.release_id)
        PROGRESS.info(f"release      {published.release_id} published")
        return dg.MaterializeResult(
            metadata={
                "release_id": published.release_id,
                "as_of": published.as_of.isoformat(sep=" "),
                "rows": sum(published.rows.values()),
                "tables": len(published.rows),
                "accepted": len(accepted),
                "file": dg.MetadataValue.path(str(folder / DATABASE)),
            }
        )

    return release


def as_of_of_build(settings: Settings) -> datetime:
    """The instant (UTC) up to which the build knows."""
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        rows = connection.execute("select as_of from intermediate.int_run").fetchall()
    if len(rows) != 1 or not isinstance(rows[0][0], datetime):
        raise ValueError(
            f"{settings.build}: expected one as-of in intermediate.int_run, found {rows}. "
            "Build the layers again."
        )
    as_of: datetime = rows[0][0]
    return as_of
