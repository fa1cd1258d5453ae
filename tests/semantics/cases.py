"""The one casebook of this folder, and how a case's rows are held against those written by hand.

Every test module puts its cases into BOOK when it is imported; `conftest` imports them all and
builds one warehouse from them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tests.support.casebook import Case, Casebook
from tests.support.tables import Tables, spelled, written
from tests.support.warehouse import build_warehouse, load_night

BOOK = Casebook()

AS_OF = datetime(2025, 1, 1, 5)  # midnight in the reporting time zone
REPORTING_TIMEZONE = "America/New_York"
REPORTING_CURRENCY = "USD"


def case(name: str, source: str = "generic") -> Case:
    """A case of this folder's casebook."""
    return Case(BOOK, name, source)


def hours(number: float) -> timedelta:
    """A window."""
    return timedelta(hours=number)


def build_casebook(
    landing: Path, earlier: Path, seeds: Path, home: Path, threads: int = 2, with_tests: bool = True
) -> Path:
    """Load the earlier nights of the book, then what lies in `landing`, and build all.

    `earlier` is the folder that the book was written to.
    """
    for night in sorted(BOOK.earlier):
        load_night(earlier / f"landing_{night:%Y%m%d%H%M}", seeds, home, night)
    return build_warehouse(
        landing,
        seeds,
        home,
        as_of=AS_OF,
        timezone=REPORTING_TIMEZONE,
        currency=REPORTING_CURRENCY,
        threads=threads,
        with_tests=with_tests,
    )


def assert_rows(
    warehouse: Tables, table: str, funnel_id: str, expected: str, where: str = "true"
) -> None:
    """Assert that a funnel's rows of a table are those written by hand, in any order.

    Args:
        warehouse: the warehouse that was built of the casebook.
        table: schema.table.
        funnel_id: the funnel, its name in full.
        expected: see `tests.support.tables`; subjects without the name of their case.
        where: a further condition on the table's rows.
    """
    columns, rows = written(expected)
    found = warehouse.query(
        f"select {', '.join(columns)} from {table} where funnel_id = ? and ({where})", [funnel_id]
    )
    prefix = BOOK.scope_of[funnel_id] + "."
    found_rows = [
        [
            spelled(cell).removeprefix(prefix) if column == "subject_id" else spelled(cell)
            for column, cell in zip(columns, row, strict=True)
        ]
        for row in found
    ]
    assert sorted(found_rows) == sorted(rows), f"{table} of {funnel_id}, columns {columns}"
