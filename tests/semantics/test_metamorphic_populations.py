"""What must hold of results of the same logs a week earlier, under other names, and in halves."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.semantics.populations import FUNNELS, WEEK, other_name
from tests.support.tables import Tables

JOURNEYS = """
    select
        split_part(subject_id, '.', 2), journey_number, entered_at, furthest_stage_id, outcome,
        was_won, ended_at, seconds_to_outcome, is_mature, held_value
    from core.fct_journeys where funnel_id = ?
"""
VISITS = """
    select
        split_part(subject_id, '.', 2), visit_number, journey_number, entered_at, stage_id,
        next_stage_id, evidence, exited_at, seconds_in_stage
    from core.fct_stage_visits where funnel_id = ?
"""
TIMES = {JOURNEYS: (2, 6), VISITS: (3, 7)}
ADDING_UP = {
    "funnel_conversion": ("stage_id", "visited", "reached", "entered", "imputed", "mature_reached"),
    "drop_off_points": ("stage_id", "advanced", "won", "lost", "abandoned", "still_open"),
    "conversion_matrix": ("from_stage_id || ' > ' || to_stage_id", "transitions"),
    "cycle_times": (
        *("from_stage_id || ' > ' || to_stage_id", "completed", "competing", "censored"),
        *("won", "closed"),
    ),
}


def _rows(warehouse: Tables, query: str, funnel_id: str) -> list[tuple[Any, ...]]:
    rows = sorted(warehouse.query(query, [funnel_id]), key=repr)
    assert len(rows) > 50, funnel_id
    return rows


@pytest.mark.parametrize("query", [JOURNEYS, VISITS], ids=["journeys", "visits"])
@pytest.mark.parametrize("name", FUNNELS)
def test_the_same_logs_a_week_earlier_give_the_same_a_week_earlier(
    warehouse: Tables, name: str, query: str
) -> None:
    """Prevents a result that hangs on when something happened, not on what."""
    found = _rows(warehouse, query, f"population_earlier.{name}")
    later = [
        tuple(
            cell + WEEK if place in TIMES[query] and cell is not None else cell
            for place, cell in enumerate(row)
        )
        for row in found
    ]
    assert sorted(later, key=repr) == _rows(warehouse, query, f"population.{name}")


@pytest.mark.parametrize("query", [JOURNEYS, VISITS], ids=["journeys", "visits"])
@pytest.mark.parametrize("name", FUNNELS)
def test_other_names_give_the_same_results_under_other_names(
    warehouse: Tables, name: str, query: str
) -> None:
    """Prevents a result that hangs on how a subject is called, or on its neighbours."""
    found = _rows(warehouse, query, f"population_renamed.{name}")
    renamed = [(other_name(subject), *row) for subject, *row in found]
    assert sorted(renamed, key=repr) == _rows(warehouse, query, f"population.{name}")


@pytest.mark.parametrize("table", ADDING_UP)
@pytest.mark.parametrize("name", FUNNELS)
def test_the_halves_add_up_to_the_whole(warehouse: Tables, name: str, table: str) -> None:
    """Prevents counts that hang on who else is counted."""
    key, *measures = ADDING_UP[table]

    def counted(population: str) -> dict[str, Counter[str]]:
        rows = warehouse.query(
            f"select {key}, {', '.join(measures)} from marts.{table}"
            " where funnel_id = ? and cohort_grain = 'all' and segment_name = 'all'",
            [f"{population}.{name}"],
        )
        return {stage: Counter(dict(zip(measures, counts, strict=True))) for stage, *counts in rows}

    whole, half, other_half = counted("population"), counted("half_a"), counted("half_b")
    if table == "cycle_times":
        # A pair of stages that nobody of a half went through backwards has no row there.
        whole = {stage: of for stage, of in whole.items() if stage in half and stage in other_half}
    assert len(whole) >= 4
    for stage, of in whole.items():
        parts = [population.get(stage, Counter()) for population in (half, other_half)]
        assert of == parts[0] + parts[1], stage
