"""From the landing to raw: one step that loads what is new, or finds that there is nothing new."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from orchestration import declarations
from orchestration.assets.web_event_days import WEB_EVENT_DAYS
from orchestration.dbt import layer_of
from orchestration.dbt_translator import LayerTranslator
from orchestration.erasure.forget import UnfinishedError, notes_on_unfinished, refuse_unfinished
from orchestration.extracts import known_systems, read_extracts
from orchestration.fingerprint import fingerprint
from orchestration.kept_tables import drop_stale
from orchestration.notes import keep_notes
from orchestration.published_tables import quoted
from orchestration.raw import LoadSummary, load_landing
from orchestration.raw_views import create_raw_views
from orchestration.refusals import ChangedFileError, VanishedFileError
from orchestration.releases import current_release
from orchestration.resources import PROGRESS, Warehouse, WriterLock

# What was being written or replaced while it was read is whole a little later.
PASSING_ERRORS = (ChangedFileError, VanishedFileError)
RETRIES, SECONDS_BETWEEN_RETRIES = 2, 30


def build_raw(manifest: Mapping[str, Any]) -> dg.AssetsDefinition:
    """The assets that are dbt's sources, so that its models continue their lineage."""
    translator = LayerTranslator()
    sources = {
        unique_id: translator.get_asset_spec(manifest, unique_id, None).replace_attributes(
            # Nothing comes out where nothing is new, and then nothing to the right is done.
            skippable=True,
            kinds={"duckdb", "parquet"},
            deps=[WEB_EVENT_DAYS] if _is_web_events(manifest["sources"][unique_id]) else [],
        )
        for unique_id in sorted(manifest["sources"])
        if layer_of(manifest["sources"][unique_id]) == "raw"
    }

    @dg.multi_asset(
        name="landing_to_raw",
        specs=list(sources.values()),
        description="Loads every file of the landing whose content was not loaded before. If "
        "nothing that the current release follows from has changed, all later steps are skipped.",
    )
    def landing_to_raw(
        context: dg.AssetExecutionContext, warehouse: Warehouse, writer_lock: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any]]:
        settings = warehouse.settings()
        try:
            refuse_unfinished(settings)
        except UnfinishedError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        declared = declarations.read(settings.seeds)
        declarations.write(declared, settings.declarations)
        now = datetime.now(UTC).replace(tzinfo=None)
        summary = load_landing(settings, declared.sources, now, context.run.run_id, _tell)
        notes = (*summary.notes, *notes_on_unfinished(settings))
        keep_notes(settings, context.run.run_id, notes)
        for note in notes:
            _tell(f"note: {note}")
        _refuse_errors(summary, context.retry_number)
        _tell(progress_line(summary))
        current = current_release(settings)
        if current and current.fingerprint == fingerprint(settings, declared):
            _tell(f"nothing new since release {current.release_id}")
            return
        create_raw_views(settings, declared.sources)
        if drop_stale(settings, declared):
            _tell("models, declarations or settings changed: what follows from them is made anew")
        with duckdb.connect(str(settings.build), read_only=True) as connection:
            metadata = {
                unique_id: _metadata(connection, manifest["sources"][unique_id], summary)
                for unique_id in sources
            }
        for unique_id, spec in sources.items():
            yield dg.MaterializeResult(asset_key=spec.key, metadata=metadata[unique_id])

    return landing_to_raw


def _is_web_events(source: Mapping[str, Any]) -> bool:
    system = source["source_name"]
    return system in known_systems() and read_extracts(system)[source["name"]].is_web_events


def progress_line(summary: LoadSummary) -> str:
    """What a person reads about the loading."""
    if not summary.loads:
        return f"{summary.files:,} files, none of them new"
    return (
        f"{len(summary.loads):,} of {summary.files:,} files are new, "
        f"{summary.rows_loaded:,} rows, {summary.rows_quarantined:,} quarantined"
    )


def _tell(line: str) -> None:
    PROGRESS.info(f"raw          {line}")


def _refuse_errors(summary: LoadSummary, attempts: int) -> None:
    """Stop behind the loading if a source was refused. What the others delivered is in raw."""
    errors = [error for source in summary.errors.values() for error in source]
    if not errors:
        return
    sources = ", ".join(sorted(summary.errors))
    failure = dg.Failure(
        "\n".join(
            [
                f"Nothing new was taken from the source {sources}:",
                *(f"  {error}" for error in errors),
                "Its other new files wait with it, and need not be delivered again. Correct in the "
                "landing what is named here (docs/operate-a-night.md). What any other source "
                "delivered is loaded and will be in the next release.",
            ]
        ),
        allow_retries=False,
    )
    if attempts < RETRIES and all(isinstance(error, PASSING_ERRORS) for error in errors):
        _tell(f"{errors[0]} Trying again in {SECONDS_BETWEEN_RETRIES} s.")
        raise dg.RetryRequested(RETRIES, SECONDS_BETWEEN_RETRIES) from failure
    raise failure


def _metadata(
    connection: duckdb.DuckDBPyConnection, source: Mapping[str, Any], summary: LoadSummary
) -> dict[str, dg.MetadataValue]:
    relation = f"{quoted(source['schema'])}.{quoted(source['name'])}"
    counted = connection.execute(f"select count(*) from {relation}").fetchone()
    loads = [load for load in summary.loads if load.table_name == source["name"]]
    rows = dg.MetadataValue.int(counted[0] if counted else 0)
    metadata: dict[str, dg.MetadataValue] = {"dagster/row_count": rows}
    if source["source_name"] == "generic":
        metadata["new_files"] = dg.MetadataValue.int(len(loads))
        metadata["new_rows"] = dg.MetadataValue.int(sum(load.rows_loaded for load in loads))
    return metadata
