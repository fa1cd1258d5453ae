"""What Dagster shows of a table that was built: its rows, its columns, and a few of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from orchestration.published_tables import quoted

# Enough to see what the columns look like. Only of what is published, and counts: Dagster keeps
# what it is told for ever, and so may be told of nobody.
PREVIEW_ROWS = 5
# Keys of what is declared. A row with a key of anything else is about somebody, or somebody's.
DECLARED_KEYS = ("funnel_id", "stage_id", "alert_id", "attribution_id", "experiment_id")
# What may name somebody without being a key.
NAMES = ("identifier", "name", "properties", "purchase_value", "other_value", "account_value")


def table_metadata(
    build: Path, nodes: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, dg.MetadataValue]]:
    """By dbt's name of the node: its rows, columns and, of a mart that counts, a few of its rows.

    Views are not counted: that would compute them. A table that is not there has no metadata.
    """
    found: dict[str, dict[str, dg.MetadataValue]] = {node["unique_id"]: {} for node in nodes}
    if not build.is_file():
        return found
    with duckdb.connect(str(build), read_only=True) as connection:
        columns: dict[tuple[str, str], list[dg.TableColumn]] = {}
        for schema, table, column, data_type in connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where database_name = current_database() order by column_index"
        ).fetchall():
            columns.setdefault((schema, table), []).append(
                dg.TableColumn(column, data_type.lower())
            )
        for node in nodes:
            place = (node["schema"], node.get("alias") or node["name"])
            if place not in columns:
                continue
            described = {
                name: column.get("description", "") for name, column in node["columns"].items()
            }
            metadata = found[node["unique_id"]]
            metadata["dagster/column_schema"] = dg.MetadataValue.table_schema(
                dg.TableSchema(
                    columns=[
                        dg.TableColumn(column.name, column.type, described.get(column.name))
                        for column in columns[place]
                    ]
                )
            )
            if node["config"].get("materialized") == "view":
                continue
            relation = f"{quoted(place[0])}.{quoted(place[1])}"
            counted = connection.execute(f"select count(*) from {relation}").fetchone()
            metadata["dagster/row_count"] = dg.MetadataValue.int(counted[0] if counted else 0)
            if "marts" in node["fqn"] and is_about_nobody(column.name for column in columns[place]):
                metadata["preview"] = dg.MetadataValue.md(_preview(connection, relation))
    return found


def is_about_nobody(columns: Iterable[str]) -> bool:
    """Whether the rows of a table count, and none of them is about a person, a deal or an order."""
    return not any(
        column in NAMES or (column.endswith("_id") and not column.endswith(DECLARED_KEYS))
        for column in columns
    )


def _preview(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    rows = connection.execute(f"select * from {relation} limit {PREVIEW_ROWS}")
    names = [column[0] for column in rows.description or ()]
    lines = [names, ["---"] * len(names), *rows.fetchall()]
    return "\n".join("| " + " | ".join(_shown(value) for value in line) + " |" for line in lines)


def _shown(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
