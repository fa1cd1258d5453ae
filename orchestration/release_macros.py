"""The table macros of a release: what a reader asks a question of, besides the tables.

They stand in the release's database beside the tables and name them without schema or database, so
that they work under whatever name a reader attaches the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from orchestration.published_tables import PublishedTable, literal, quoted, quoted_list

KNOWN_ON_TABLE = "funnel_conversion_known_on"


@dataclass(frozen=True)
class TableMacro:
    """A table macro of one parameter.

    Attributes:
        name: its name in the release.
        parameter: the name of its parameter.
        body: the query, in SQL.
        description: what an analyst is told about it.
        table: the table whose rows it selects.
        column: the column of that table which the parameter is compared with.
    """

    name: str
    parameter: str
    body: str
    description: str
    table: PublishedTable
    column: str


def table_macros(tables: Sequence[PublishedTable]) -> tuple[TableMacro, ...]:
    """The macros of a release of these tables."""
    return tuple(_funnel_known_on(table) for table in tables if table.name == KNOWN_ON_TABLE)


def create_macros(connection: duckdb.DuckDBPyConnection, macros: Sequence[TableMacro]) -> None:
    """Create the macros in the database that the connection uses."""
    for macro in macros:
        name = quoted(macro.name)
        connection.execute(f"create macro {name}({macro.parameter}) as table {macro.body}")
        connection.execute(f"comment on macro table {name} is {literal(macro.description)}")


def _funnel_known_on(table: PublishedTable) -> TableMacro:
    columns = quoted_list(table.column_names)
    # The date is checked on the left of a join, so that it is also where the table has no rows.
    body = f"""
        with kept as (
            select
                max(known_on) filter (where known_on = cast(known_on_date as date)) as known_on,
                string_agg(
                    distinct strftime(known_on, '%Y-%m-%d'), ', '
                    order by strftime(known_on, '%Y-%m-%d')
                ) as dates
            from {quoted(table.name)}
        ),

        asked as (
            select
                coalesce(known_on, error(
                    'funnel_known_on: expected a date that this release keeps ('
                    || coalesce(dates, 'it keeps none')
                    || '), found ' || coalesce(cast(known_on_date as varchar), 'null')
                    || '. Add the date to known_on_dates.csv; the next night computes it.'
                )) as asked_on
            from kept
        )

        select {columns}
        from asked
        left join {quoted(table.name)} on known_on = asked_on
    """
    return TableMacro(
        name="funnel_known_on",
        parameter="known_on_date",
        body=body,
        description="The rows of funnel_conversion_known_on for one date, as in "
        "from funnel_known_on('2025-03-01'). A date that is not kept is an error that lists those "
        "that are.",
        table=table,
        column="known_on",
    )
