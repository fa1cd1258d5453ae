"""Reading tables of a built warehouse, and comparing them with tables written by hand.

A table written by hand is text: the first line names the columns, each other line is a row, blanks
separate the cells. `-` is null, `yes` and `no` are booleans, instants are `2024-01-31T10:00`, with
seconds and microseconds where they are not zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

Cell = str | int | float | bool | Decimal | date | datetime | None


class Tables:
    """The tables of one database, opened read-only."""

    def __init__(self, database: Path) -> None:
        self._connection = duckdb.connect(str(database), read_only=True)
        self._connection.execute("set timezone = 'UTC'")

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def names(self, schema: str) -> list[str]:
        """The tables of a schema, by name."""
        found = self.query(
            "select table_name from information_schema.tables"
            " where table_schema = ? and table_type = 'BASE TABLE' order by table_name",
            [schema],
        )
        return [str(name) for (name,) in found]

    def columns(self, table: str) -> list[str]:
        """The columns of a table, in order. `table` is written schema.table."""
        return [str(row[0]) for row in self.query(f"describe {table}")]


def spelled(cell: Cell) -> str:
    """A value as tables written by hand spell it."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        text = cell.isoformat()
        return text.removesuffix(":00") if cell.microsecond == 0 else text
    if isinstance(cell, float):
        cell = Decimal(repr(cell))
    if isinstance(cell, Decimal):
        return f"{cell:f}".rstrip("0").rstrip(".") if "." in f"{cell:f}" else f"{cell:f}"
    return str(cell)


def written(table: str) -> tuple[list[str], list[list[str]]]:
    """The columns and rows of a table written by hand."""
    lines = [line.split() for line in table.strip().splitlines()]
    columns, rows = lines[0], lines[1:]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"expected {len(columns)} cells {columns}, found {row}")
    return columns, rows
