"""Whoever counts the rows behind a cell of the marts gets the cell's figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pytest

JOURNEY_FIGURES = {
    "funnel_conversion": (
        "entered",
        "visited",
        "reached",
        "imputed",
        "mature_entered",
        "mature_reached",
    ),
    "drop_off_points": (
        "reached",
        "advanced",
        "won",
        "lost",
        "abandoned",
        "still_open",
        "came_back",
        "mature_advanced",
    ),
}
WAIT_FIGURES = ("completed", "competing", "censored", "undated")
CELL = "cohort_grain, cohort_date, segment_name, segment_value"
# So many cells of each table, chosen by their hash: of all grains and segments.
CELLS = 25


def cells(reader: duckdb.DuckDBPyConnection, table: str, columns: str) -> list[tuple[Any, ...]]:
    """A sample of a mart's cells, full and empty ones, the same in every run."""
    found = reader.execute(
        f"select {columns} from {table} "
        f"qualify row_number() over (order by hash({columns})) <= {CELLS} "
        "order by all"
    ).fetchall()
    assert len(found) == CELLS
    return found


def rows_behind(
    reader: duckdb.DuckDBPyConnection, macro: str, arguments: Sequence[object], counted: str = "*"
) -> int:
    """How many rows a macro gives."""
    marks = ", ".join("?" for _ in arguments)
    found = reader.execute(f"select count({counted}) from {macro}({marks})", list(arguments))
    ((rows,),) = found.fetchall()
    return int(rows)


def test_journeys_behind_count_what_the_cell_counts(reader: duckdb.DuckDBPyConnection) -> None:
    """An analyst would list other journeys than those that a figure counts."""
    counted = 0
    for table, figures in JOURNEY_FIGURES.items():
        columns = f"funnel_id, stage_id, {CELL}"
        for number, row in enumerate(cells(reader, table, f"{columns}, {', '.join(figures)}")):
            # Of each cell one figure, all of them in turn.
            position = number % len(figures)
            funnel, stage, *cell = row[:6]
            figure, expected = figures[position], row[6 + position]
            found = rows_behind(reader, "journeys_behind", [funnel, stage, figure, *cell])
            assert (table, row[:6], figure, found) == (table, row[:6], figure, expected)
            counted += expected
    assert counted > 0


def test_every_journey_figure_of_the_whole_is_told(reader: duckdb.DuckDBPyConnection) -> None:
    """A figure would be wrong that happened to be 0 in every cell that was looked at."""
    for table, figures in JOURNEY_FIGURES.items():
        rows = reader.execute(
            f"select funnel_id, stage_id, {', '.join(figures)} from {table} "
            "where cohort_grain = 'all' and segment_name = 'all' "
            "and funnel_id in ('sales_pipeline', 'signup_activation')"
        ).fetchall()
        assert rows
        for funnel, stage, *expected in rows:
            found = [
                rows_behind(reader, "journeys_behind", [funnel, stage, figure])
                for figure in figures
            ]
            assert (funnel, stage, found) == (funnel, stage, expected)


def test_visits_behind_count_what_the_matrix_counts(reader: duckdb.DuckDBPyConnection) -> None:
    """An analyst would list other visits than those that went on to the stage."""
    columns = f"funnel_id, from_stage_id, to_stage_id, {CELL}"
    for *cell, transitions, subjects in cells(
        reader, "conversion_matrix", f"{columns}, transitions, subjects"
    ):
        assert (cell, rows_behind(reader, "visits_behind", cell)) == (cell, transitions)
        different = rows_behind(reader, "visits_behind", cell, "distinct subject_id")
        assert (cell, different) == (cell, subjects)


def test_waits_behind_count_what_the_cycle_times_count(reader: duckdb.DuckDBPyConnection) -> None:
    """An analyst would list journeys as on their way that another outcome ended."""
    columns = f"funnel_id, from_stage_id, to_stage_id, {CELL}"
    told = dict.fromkeys(WAIT_FIGURES, 0)
    rows = cells(reader, "cycle_times", f"{columns}, {', '.join(WAIT_FIGURES)}, p50")
    rows += reader.execute(
        f"select {columns}, {', '.join(WAIT_FIGURES)}, p50 from cycle_times "
        "where cohort_grain = 'all' and segment_name = 'all' "
        "and funnel_id = 'sales_pipeline' and from_stage_id = 'target' order by all"
    ).fetchall()
    for funnel, from_stage, to_stage, *rest in rows:
        cell = [funnel, from_stage, to_stage]
        for figure, expected in zip(WAIT_FIGURES, rest[4:8], strict=True):
            found = rows_behind(reader, "waits_behind", [*cell, figure, *rest[:4]])
            assert (cell, rest[:4], figure, found) == (cell, rest[:4], figure, expected)
            told[figure] += expected
        ((median,),) = reader.execute(
            "select quantile_cont(cast(seconds as double), 0.5) "
            "from waits_behind(?, ?, ?, 'completed', ?, ?, ?, ?)",
            [*cell, *rest[:4]],
        ).fetchall()
        assert (cell, median) == (cell, pytest.approx(rest[8]))
    assert all(told[figure] for figure in ("completed", "competing", "censored"))


def test_deals_behind_count_what_the_pipeline_counts(reader: duckdb.DuckDBPyConnection) -> None:
    """A sales manager would look at other deals than those of a bar."""
    columns = "funnel_id, snapshot_date, stage_id, segment_name, segment_value"
    rows = cells(reader, "pipeline_daily", f"{columns}, open_deals, open_amount")
    rows += reader.execute(
        f"select {columns}, open_deals, open_amount from pipeline_daily where open_deals > 1 "
        f"order by hash(snapshot_date, segment_value, stage_id) limit {CELLS}"
    ).fetchall()
    for *cell, deals, amount in rows:
        ((found, worth),) = reader.execute(
            "select count(*), coalesce(sum(amount), 0) "
            "from deals_behind(?, ?, stage := ?, segment := ?, value := ?)",
            cell,
        ).fetchall()
        assert (cell, found, worth) == (cell, deals, amount)
    assert sum(row[5] for row in rows) > 0


def test_moves_behind_count_what_the_pipeline_moves(reader: duckdb.DuckDBPyConnection) -> None:
    """A bar of the waterfall would be made of other deals than it says."""
    columns = "funnel_id, movement, movement_date, segment_name, segment_value"
    for funnel, movement, day, segment, value, *expected in cells(
        reader, "pipeline_movements", f"{columns}, moves, deals, deals_change, amount_change"
    ):
        found = reader.execute(
            "select count(*), count(distinct deal_id), sum(deals_change), sum(amount_change) "
            "from moves_behind(?, ?, ?, ?, ?, ?)",
            [funnel, movement, day, day, segment, value],
        ).fetchall()
        assert found == [tuple(expected)]


@pytest.mark.parametrize(
    ("macro", "asked"),
    [
        (
            "stages",
            "'web_purchase', ['visit', 'cart', 'payment'], window_hours := 48, "
            "breakdown := 'channel'",
        ),
        (
            "events",
            "'visitor', ['session_start', 'cart_added', 'order_paid'], mode := 'any', "
            "breakdown := 'channel'",
        ),
    ],
)
def test_subjects_behind_a_list_are_those_that_its_funnel_counts(
    reader: duckdb.DuckDBPyConnection, macro: str, asked: str
) -> None:
    """The subjects behind an ad hoc funnel would be others than it counts."""
    counted = reader.execute(
        f"select segment_value, step, reached from funnel_of_{macro}({asked}) order by all"
    ).fetchall()
    listed = reader.execute(
        "select segment_value, step, "
        "count(distinct subject_id) filter (where furthest_step >= step) "
        f"from subjects_of_{macro}({asked}), range(1, 4) as steps (step) group by all order by all"
    ).fetchall()
    assert counted
    assert listed == counted
