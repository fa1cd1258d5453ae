"""How much of the marts the report shows: every figure of the latest periods and largest segments.

A page is read by people: whoever wants a week three years ago asks the tables. The bounds keep a
funnel's data near a megabyte however much the warehouse holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

# The latest so many of each grain. Fewer, and a trend cannot be seen; more, and nobody reads them.
PERIODS = {"year": 5, "quarter": 8, "month": 13, "week": 26}
# The latest so many that can be looked at by segment. Each is a full set of figures per value.
CROSSED_PERIODS = {"year": 2, "quarter": 4, "month": 3, "week": 0}
SEGMENTS = 8
# The values of a segment with the most journeys.
VALUES = 8

PERIODS_OF_FUNNEL = """
    select cohort_grain, cohort_date
    from funnel_conversion
    where funnel_id = $funnel_id and segment_name = 'all' and stage_position = 1
        and cohort_grain in ('year', 'quarter', 'month', 'week')
    order by cohort_grain, cohort_date desc
"""

VALUES_OF_FUNNEL = """
    select segment_name, segment_value, bool_and(segment_adds_up), max(entered) as entered
    from funnel_conversion
    where funnel_id = $funnel_id and cohort_grain = 'all' and segment_name <> 'all'
    group by segment_name, segment_value
    order by segment_name, entered desc, segment_value
"""


@dataclass(frozen=True)
class Scope:
    """What is shown of one funnel.

    Attributes:
        periods: grain and date (ISO; None for all time) of each, all time first.
        segments: name, value and whether the name's values add up, `all` first.
        left_out: what is not shown, in words for the reader.
    """

    periods: tuple[tuple[str, str | None], ...]
    segments: tuple[tuple[str, str, bool], ...]
    left_out: tuple[str, ...]


def scope_of(connection: duckdb.DuckDBPyConnection, funnel_id: str) -> Scope:
    """Decide what is shown of a funnel, and put it into the temporary tables that `funnels` joins.

    `shown_periods` has the number of each period, `shown_segments` that of each value, and
    `shown_cells` which of them are shown together.
    """
    left_out: list[str] = []
    by_grain: dict[str, list[Any]] = {grain: [] for grain in PERIODS}
    asked = {"funnel_id": funnel_id}
    for grain, date in connection.execute(PERIODS_OF_FUNNEL, asked).fetchall():
        by_grain[grain].append(date)
    periods: list[tuple[str, Any]] = [("all", None)]
    crossed = [True]
    for grain, dates in by_grain.items():
        most = PERIODS[grain]
        if len(dates) > most:
            left_out.append(f"Of {len(dates)} {grain}s, the latest {most} are shown.")
        periods += [(grain, date) for date in dates[:most]]
        crossed += [number < CROSSED_PERIODS[grain] for number in range(len(dates[:most]))]
    segments = _segments(connection, asked, left_out)
    if len(segments) > 1:
        left_out.append(_crossing())
    connection.execute(
        """
        create or replace temp table shown_periods as
        select
            unnest(range(len($grains)))::integer as period,
            unnest($grains) as cohort_grain,
            unnest($dates)::date as cohort_date,
            unnest($is_crossed) as is_crossed
        """,
        {
            "grains": [grain for grain, _ in periods],
            "dates": [date for _, date in periods],
            "is_crossed": crossed,
        },
    )
    connection.execute(
        """
        create or replace temp table shown_segments as
        select
            unnest(range(len($names)))::integer as segment,
            unnest($names) as segment_name,
            unnest($values) as segment_value
        """,
        {
            "names": [name for name, _, _ in segments],
            "values": [value for _, value, _ in segments],
        },
    )
    connection.execute(
        "create or replace temp table shown_cells as "
        "select * from shown_periods cross join shown_segments where is_crossed or segment = 0"
    )
    return Scope(
        tuple((grain, date.isoformat() if date else None) for grain, date in periods),
        tuple(segments),
        tuple(left_out),
    )


def _segments(
    connection: duckdb.DuckDBPyConnection, asked: dict[str, str], left_out: list[str]
) -> list[tuple[str, str, bool]]:
    values: dict[str, list[tuple[str, str, bool]]] = {}
    for name, value, adds_up, _ in connection.execute(VALUES_OF_FUNNEL, asked).fetchall():
        values.setdefault(name, []).append((name, value, adds_up))
    if len(values) > SEGMENTS:
        others = ", ".join(list(values)[SEGMENTS:])
        left_out.append(f"The first {SEGMENTS} segments are shown, not: {others}.")
    segments = [("all", "all", True)]
    for name, rows in list(values.items())[:SEGMENTS]:
        if len(rows) > VALUES:
            left_out.append(
                f"Of the {len(rows)} values of {name}, the {VALUES} with most journeys are shown."
            )
        segments += rows[:VALUES]
    return segments


def _crossing() -> str:
    crossed = [f"{most} {grain}s" for grain, most in CROSSED_PERIODS.items() if most]
    return f"Segments are shown for all time and the latest {', '.join(crossed)}."
