"""What a release says about itself and those before it: three tables inside every release.

Each release carries the whole log on from the newest one before it, so that a reader needs one file
only. What happened to the link `current` outside of publishing (a rollback) is in `releases`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from orchestration.published_tables import Column, PublishedTable, quoted, quoted_list
from orchestration.release_changes import TableChange
from orchestration.releases import Release

RELEASE_LOG = PublishedTable(
    schema="main",
    name="release_log",
    key=("release_id",),
    description="The releases so far, withdrawn ones included. One row per release.",
    columns=(
        Column("release_id", "varchar", "Names the release and its folder: as-of and a count."),
        Column("release_number", "bigint", "Counts the releases in the order of publishing."),
        Column(
            "previous_release_id",
            "varchar",
            "The release that readers had until then; null for the first. Where it is not the one "
            "published before, that one had been rolled back.",
        ),
        Column("run_id", "varchar", "The run that published it."),
        Column(
            "fingerprint", "varchar", "Of all that its tables follow from; the same for the same."
        ),
        Column("as_of", "timestamp", "The instant (UTC) up to which it knows."),
        Column("published_at", "timestamp", "The instant (UTC) at which it was published."),
        Column("tables", "bigint", "Published tables, without the three of this log."),
        Column("rows", "bigint", "Rows of those tables together."),
        Column("gate_results", "bigint", "Rows of release_gates for it."),
        Column(
            "accepted_surprises", "bigint", "Gate results that somebody let pass, with reasons."
        ),
    ),
)

RELEASE_TABLES = PublishedTable(
    schema="main",
    name="release_tables",
    key=("release_id", "table_name"),
    description="What each release holds and what changed against the release that readers had "
    "before, by the key of each table. One row per release and table; a table that is published no "
    "more has a last row without rows.",
    columns=(
        Column("release_id", "varchar", "The release."),
        Column("table_name", "varchar", "The published table."),
        Column(
            "changed_columns",
            "varchar",
            "Columns that were added, dropped or retyped, with commas; null if none, and where "
            "there is nothing to compare with.",
        ),
        Column(
            "is_unchanged",
            "boolean",
            "Whether rows and columns are exactly those of the release before.",
        ),
        Column("rows", "bigint", "Rows in the release; null if the table is not in it any more."),
        Column("rows_before", "bigint", "Rows in the release before; null if it was not in it."),
        Column("rows_added", "bigint", "Rows whose key is new; null without a release before."),
        Column("rows_removed", "bigint", "Rows whose key is gone; null without a release before."),
        Column(
            "rows_changed",
            "bigint",
            "Rows with the same key and another value in a column that both releases have; null "
            "without a release before.",
        ),
    ),
)

RELEASE_GATES = PublishedTable(
    schema="main",
    name="release_gates",
    key=("release_id", "layer", "gate", "table_name", "rule"),
    description="The gate results that each release passed with, and the surprises that were "
    "accepted. One row per release, layer, gate, table and rule.",
    columns=(
        Column("release_id", "varchar", "The release."),
        Column("layer", "varchar", "The layer behind which the gate stands."),
        Column("gate", "varchar", "The gate."),
        Column("table_name", "varchar", "The table it looked at; null if not one table."),
        Column("rule", "varchar", "The rule within the gate."),
        Column("status", "varchar", "As the gate reported it, or accepted."),
        Column("observed", "varchar", "What was found."),
        Column("expected", "varchar", "What would have been right."),
        Column("reason", "varchar", "Why somebody accepted it; null where nobody had to."),
    ),
)

LOG_TABLES = (RELEASE_LOG, RELEASE_TABLES, RELEASE_GATES)


class GateResultError(ValueError):
    """A gate result that cannot be logged. The message names what it lacks."""


def gate_rows(
    gates: Sequence[Mapping[str, Any]], accepted: Sequence[Mapping[str, Any]]
) -> list[dict[str, str | None]]:
    """The rows of `release_gates` for one release, but for the release.

    Args:
        gates: results with `layer`, `gate`, `rule`, `status` and, where there are any,
            `table_name`, `observed`, `expected`. What is not text is written as JSON.
        accepted: results that somebody let pass: the same, with `reason`. They are logged with
            status `accepted`, and take the place of the same result in `gates`.

    Raises:
        GateResultError: a result lacks what it must have, or is there twice.
    """
    rows: dict[tuple[str | None, ...], dict[str, str | None]] = {}
    required = ("layer", "gate", "rule")
    for results, also, status in ((gates, "status", None), (accepted, "reason", "accepted")):
        seen = set()
        for result in results:
            lacking = [name for name in (*required, also) if not result.get(name)]
            if lacking:
                raise GateResultError(
                    f"gate result {dict(result)!r}: expected {', '.join((*required, also))}, "
                    f"found no {', '.join(lacking)}."
                )
            row = {name: _text(result.get(name)) for name in RELEASE_GATES.column_names[1:]}
            row["status"] = status or row["status"]
            place = tuple(row[name] for name in RELEASE_GATES.key[1:])
            if place in seen:
                raise GateResultError(
                    f"gate result {dict(result)!r}: expected one result of this layer, gate, table "
                    "and rule, found two. Give the rules names of their own."
                )
            seen.add(place)
            rows[place] = row
    return list(rows.values())


def write_log(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    history: str | None,
    release: Release,
    changes: Sequence[TableChange],
    gates: Sequence[Mapping[str, str | None]],
) -> None:
    """Write the three tables of the log into the attached database `catalog`.

    Args:
        connection: has `catalog` attached for writing and, if given, `history` for reading.
        catalog: the release being written.
        history: the newest release before it, whose log is carried on; None for the first.
        release: what to log.
        changes: one for each of its tables, and one for each that it has no more.
        gates: what `gate_rows` returned.
    """
    release_rows: list[dict[str, Any]] = [
        {
            "release_id": release.release_id,
            "release_number": release.release_number,
            "previous_release_id": release.previous_release_id,
            "run_id": release.run_id,
            "fingerprint": release.fingerprint,
            "as_of": release.as_of,
            "published_at": release.published_at,
            "tables": len(release.rows),
            "rows": sum(release.rows.values()),
            "gate_results": len(gates),
            "accepted_surprises": sum(1 for gate in gates if gate["status"] == "accepted"),
        }
    ]
    table_rows = [
        {
            **vars(change),
            "release_id": release.release_id,
            "changed_columns": ", ".join(change.changed_columns) or None,
        }
        for change in changes
    ]
    gates_of_release = [{**gate, "release_id": release.release_id} for gate in gates]
    for table, rows in zip(LOG_TABLES, (release_rows, table_rows, gates_of_release), strict=True):
        _write_log_table(connection, catalog, history, table, rows)


def _write_log_table(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    history: str | None,
    table: PublishedTable,
    rows: Sequence[Mapping[str, Any]],
) -> None:
    names = quoted_list(table.column_names)
    declared = ", ".join(f"{quoted(column.name)} {column.data_type}" for column in table.columns)
    connection.execute(f"create temp table log_rows ({declared})")
    if history:
        # By name: an older log may lack a column that was added since.
        connection.execute(
            f"insert into log_rows by name from {quoted(history)}.main.{quoted(table.name)}"
        )
    if rows:
        connection.executemany(
            f"insert into log_rows ({names}) values ({', '.join('?' * len(table.columns))})",
            [[row[name] for name in table.column_names] for row in rows],
        )
    order = ", ".join(f"{quoted(name)} nulls last" for name in table.key)
    connection.execute(
        f"create table {quoted(catalog)}.main.{quoted(table.name)} as "
        f"select {names} from log_rows order by {order}"
    )
    connection.execute("drop table log_rows")


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str, ensure_ascii=False)
