"""What the rules share: the type of the tables, and how a list or an expression is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import duckdb

from orchestration.declaration_tables import Mistake, Row

Tables = Mapping[str, Sequence[Row]]


def is_regular_expression(table: str, rule: Row, column: str) -> Iterator[Mistake]:
    """The cell holds an expression that the engine can read.

    The engine itself is asked: its expressions have no look-ahead, other than those of Python.
    """
    try:
        _engine().execute("select regexp_matches('', ?)", [rule[column]])
    except duckdb.Error as error:
        yield Mistake(
            f"{table}.csv",
            rule.line,
            column,
            "a regular expression of the RE2 syntax",
            repr(rule[column]),
            f"DuckDB says: {str(error).splitlines()[0].removeprefix('Invalid Input Error: ')}. "
            "A sign that is meant itself has a backslash before it, as in \\(.",
        )


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """A database without data, opened once: opening takes longer than a hundred questions."""
    return duckdb.connect()


def listed(names: set[str]) -> str:
    """The names in words, by name."""
    return ", ".join(sorted(names)) or "none"
