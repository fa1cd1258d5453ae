"""Forecasts against linear algebra, and against a plain look at each past date."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest

from tests.semantics.cases import AS_OF, case
from tests.support.tables import Tables

STAGES = "new\noffer\nwon won\nlost lost"
plan = case("forecast")
plan_funnel = plan.funnel("deals", STAGES, subject_type="opportunity", order_mode="furthest")
# Two months of the same: of four deals in new on the last evening but one, one is won in time.
for month in ("09", "10", "11"):
    for number in range(3):
        plan.changes(
            f"lost_{month}_{number}",
            f"2024-{month}-01T15:00:00 new\n2024-{month}-20T15:00:00 lost",
            amount="10",
            expected_close_date=f"2024-{month}-28",
        )
    plan.changes(
        f"won_{month}",
        f"2024-{month}-01T15:00:00 new\n2024-{month}-10T15:00:00 offer\n"
        f"2024-{month}-25T15:00:00 won",
        amount="100",
        expected_close_date=f"2024-{month}-28",
    )


def test_absorption_is_what_linear_algebra_says(warehouse: Tables) -> None:
    """Prevents a matrix that is followed for too few steps, or to the wrong end."""
    kinds = {
        (funnel, stage): kind
        for funnel, stage, kind in warehouse.query(
            "select funnel_id, stage_id, stage_kind from core.dim_funnel_stages"
        )
    }
    counts: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for funnel, origin, target, number in warehouse.query(
        """
        select funnel_id, from_stage_id, to_stage_id, count(*)
        from core.fct_stage_transitions
        where transitioned_at < ?
        group by all
        """,
        [AS_OF],
    ):
        if kinds.get((funnel, origin)) == "open" and (funnel, target) in kinds:
            counts[funnel][origin, target] = number
    found = warehouse.query(
        "select funnel_id, stage_id, transitions, win_probability"
        " from intermediate.int_absorption_rates"
        " where made_on = (select max(made_on) from intermediate.int_absorption_rates)"
    )
    assert len(found) > 30
    for funnel, stage, transitions, probability in found:
        of_funnel = counts[funnel]
        open_stages = sorted({origin for origin, _ in of_funnel})
        leaving = {
            origin: sum(n for (start, _), n in of_funnel.items() if start == origin)
            for origin in open_stages
        }
        inner = np.zeros((len(open_stages), len(open_stages)))
        won = np.zeros(len(open_stages))
        for (origin, target), number in of_funnel.items():
            row = open_stages.index(origin)
            share = number / leaving[origin]
            if kinds[funnel, target] == "won":
                won[row] += share
            elif kinds[funnel, target] == "open" and target in open_stages:
                inner[row, open_stages.index(target)] += share
        # Stages that only lead to one another have no single solution; the least is never won.
        expected = np.zeros(len(open_stages))
        for _ in range(5_000):
            expected = inner @ expected + won
        assert transitions == leaving[stage]
        assert float(probability) == pytest.approx(expected[open_stages.index(stage)], abs=1e-9)


def test_a_past_forecast_knows_what_was_open_and_nothing_later(warehouse: Tables) -> None:
    """Prevents a method from looking good by knowing the end: 1 of 4 was won, as the month before.

    On 1 October at midnight nothing is open. The dates of forecasts are those of the as-of, the
    first of each month, so every deal of a month is entered after its forecast.
    """
    rows = warehouse.query(
        """
        select made_on, method, expected_wins, actual_wins, expected_amount, actual_amount
        from marts.forecast_accuracy
        where funnel_id = ? and period_grain = 'month' and periods_ahead = 0
            and made_on >= '2024-10-01'
        order by method, made_on
        """,
        [plan_funnel],
    )
    by_method: dict[str, list[tuple[float | None, int, float | None, Decimal]]] = defaultdict(list)
    for made_on, method, expected, actual, amount, actual_amount in rows:
        assert isinstance(made_on, date)
        by_method[method].append((expected, actual, amount, actual_amount))
    # October, November and December: nothing open at their beginnings, 1, 1 and 0 wins to come.
    wins = [1, 1, 0]
    assert [row[1] for row in by_method["moving_average"]] == wins
    assert [float(row[3]) for row in by_method["moving_average"]] == [100, 100, 0]
    # What came of deals that were not open yet: the average of all months that were over.
    assert [row[0] for row in by_method["stage_and_age"]] == [None, 1.0, 1.0]
    assert [row[0] for row in by_method["transition_matrix"]] == [0.0, 0.0, 0.0]
    assert [row[2] for row in by_method["moving_average"]] == [None, 100.0, 100.0]


def test_what_is_open_is_counted_as_it_was(warehouse: Tables) -> None:
    """Prevents deals of later days, closed ones or those of another period from being counted."""
    states = warehouse.query(
        "select funnel_id, deal_id, is_open, expected_close_date, changed_at"
        " from intermediate.int_deal_states order by funnel_id, deal_id, changed_at"
    )
    periods = warehouse.query(
        "select funnel_id, made_on, made_at, period_date, next_period_date"
        " from intermediate.int_forecast_periods"
        " where period_grain = 'month' and periods_ahead = 0"
    )
    expected: dict[tuple[str, date], tuple[int, int]] = {}
    by_funnel: dict[str, list[tuple[str, bool, date | None, datetime]]] = defaultdict(list)
    for funnel, deal, is_open, closes_on, changed_at in states:
        by_funnel[funnel].append((deal, is_open, closes_on, changed_at))
    for funnel, made_on, made_at, _, next_period in periods:
        present = {
            deal: (is_open, closes_on)
            for deal, is_open, closes_on, changed_at in by_funnel[funnel]
            if changed_at < made_at
        }
        still_open = [closes_on for is_open, closes_on in present.values() if is_open]
        due = [day for day in still_open if day is not None and day < next_period]
        if still_open:
            expected[funnel, made_on] = (len(still_open), len(due))
    found = {
        (funnel, made_on): (deals, due)
        for funnel, made_on, deals, due in warehouse.query(
            "select funnel_id, made_on, count(*), count(*) filter (where is_expected)"
            " from intermediate.int_forecast_deals"
            " where period_grain = 'month' and periods_ahead = 0 group by all"
        )
    }
    assert len(expected) > 50
    assert found == expected
