"""The release: what readers get, once everything before it has passed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg
import duckdb

from orchestration import declarations, gates
from orchestration.alerts import Alert, alert_lines, counted, read_alerts, tell
from orchestration.dbt_translator import OWNERS
from orchestration.fingerprint import fingerprint
from orchestration.publish import NoRoomError, publish
from orchestration.published_tables import published_tables
from orchestration.release_database import DATABASE
from orchestration.releases import release_folder
from orchestration.resources import PROGRESS, Warehouse, WriterLock
from orchestration.settings import Settings

ALERTS_CHECK = "metrics_are_as_expected"

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
        check_specs=[
            dg.AssetCheckSpec(
                ALERTS_CHECK,
                asset="release",
                description="Nothing that is watched has changed by more than declared and by more "
                "than chance. What has is in metric_alerts; it stops nothing.",
                blocking=False,
            )
        ],
    )
    def release(
        context: dg.AssetExecutionContext, warehouse: Warehouse, writer_lock: WriterLock
    ) -> Iterator[dg.MaterializeResult[Any]]:
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
        alerts = read_alerts(folder / DATABASE)
        told = tell(settings, alerts, published.release_id)
        if told.trouble:
            context.log.warning(told.trouble)
            PROGRESS.info(f"release      {told.trouble}")
        yield dg.MaterializeResult(
            check_results=[alerts_result(alerts)],
            metadata={
                "alerts": len(alerts),
                "new_alerts": len(told.new),
                "new_alerts_told": told.is_told,
                "release_id": published.release_id,
                "as_of": published.as_of.isoformat(sep=" "),
                "rows": sum(published.rows.values()),
                "tables": len(published.rows),
                "accepted": len(accepted),
                "file": dg.MetadataValue.path(str(folder / DATABASE)),
            },
        )

    return release


def alerts_result(alerts: Sequence[Alert]) -> dg.AssetCheckResult:
    """The alerts as a check that warns: whoever looks at the night sees them."""
    rows = [f"| {alert.certainty} | {alert.headline} | {alert.explanation} |" for alert in alerts]
    table = "\n".join(["| certainty | alert | explanation |", "|---|---|---|", *rows])
    return dg.AssetCheckResult(
        check_name=ALERTS_CHECK,
        asset_key=dg.AssetKey("release"),
        passed=not alerts,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join([counted(len(alerts)), *alert_lines(alerts)]),
        metadata={"alerts": dg.MetadataValue.md(table)} if alerts else {},
    )


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
