"""Every row of the funnel marts against a plain implementation, on random facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest
from statsmodels.stats.proportion import proportion_confint

from tests.marts import plain_drop_offs, plain_marts
from tests.marts.facts import Facts, Funnel
from tests.marts.plain_marts import Column, Measures
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

GROUP = ("funnel_id", "cohort_grain", "cohort_date", "segment_name", "segment_value")
CURVE = ("event", "from_stage_id", "to_stage_id")
Work = Callable[[Funnel, Column], Mapping[tuple[str | int | None, ...], Measures]]


@pytest.mark.parametrize(
    ("work", "keys", "least_rows"),
    [
        (plain_marts.funnel_conversion, ("stage_id",), 500),
        (plain_drop_offs.drop_off_points, ("stage_id",), 500),
        (plain_drop_offs.after_drop_off, ("stage_id", "next_type", "next_name"), 500),
        (plain_marts.conversion_matrix, ("from_stage_id", "to_stage_id"), 3000),
        (plain_marts.cycle_times, ("from_stage_id", "to_stage_id"), 3000),
        (plain_marts.conversion_by_horizon, (*CURVE, "horizon_days"), 1000),
        (plain_marts.survival_curves, (*CURVE, "point_number"), 3000),
    ],
    ids=lambda one: getattr(one, "__name__", "by"),
)
def test_every_row_of_a_mart_agrees(
    marts: Tables, facts: Facts, work: Work, keys: tuple[str, ...], least_rows: int
) -> None:
    """Prevents a number that its description does not give, in any cohort and segment."""
    _require_agreement(marts, facts, work, keys, least_rows)


@pytest.mark.parametrize(
    ("work", "keys", "least_rows"),
    [
        (plain_marts.funnel_conversion, ("stage_id",), 500),
        (plain_marts.conversion_matrix, ("from_stage_id", "to_stage_id"), 3000),
        (plain_marts.cycle_times, ("from_stage_id", "to_stage_id"), 3000),
        (plain_marts.conversion_by_horizon, (*CURVE, "horizon_days"), 1000),
        (plain_marts.survival_curves, (*CURVE, "point_number"), 3000),
    ],
    ids=lambda one: getattr(one, "__name__", "by"),
)
def test_every_row_of_large_funnels_and_cohorts_agrees(
    rounded_marts: Tables, facts: Facts, work: Work, keys: tuple[str, ...], least_rows: int
) -> None:
    """Prevents times that are rounded too far, past a horizon, or where they are said not to be."""
    _require_agreement(rounded_marts, facts, work, keys, least_rows, are_large=True)


def _require_agreement(
    marts: Tables,
    facts: Facts,
    work: Work,
    keys: tuple[str, ...],
    least_rows: int,
    are_large: bool = False,
) -> None:
    expected = {
        (funnel.funnel_id, *group, *key): measures
        for funnel, group, column in plain_marts.columns(facts, are_large)
        for key, measures in work(funnel, column).items()
    }
    assert len(expected) > least_rows
    names = list(next(iter(expected.values())))
    key_columns = (*GROUP, *keys)
    rows = marts.query(
        f"select {', '.join((*key_columns, *names))} from marts.{work.__name__}"
        f" where funnel_id in ({', '.join('?' for _ in facts.funnels)})",
        [funnel.funnel_id for funnel in facts.funnels],
    )
    found = {row[: len(key_columns)]: row[len(key_columns) :] for row in rows}
    assert found.keys() == expected.keys()
    differing = [
        f"{key}: expected {name} {wanted}, found {value}"
        for key, values in found.items()
        for (name, wanted), value in zip(expected[key].items(), values, strict=True)
        if not _is_same(wanted, value)
    ]
    assert not differing, "\n".join([f"{len(differing)} differ:", *differing[:20]])


def test_every_open_visit_agrees(marts: Tables, facts: Facts) -> None:
    """Prevents a visit that is held against another stage's history, or judged without one."""
    expected = plain_marts.open_visits(facts)
    assert len(expected) > 30
    assert {row["stalled_by"] for row in expected.values()} == {"target", "history", "both", None}
    names = list(next(iter(expected.values())))
    rows = marts.query(
        f"select funnel_id, subject_id, {', '.join(names)} from marts.open_visits"
        f" where funnel_id in ({', '.join('?' for _ in facts.funnels)})",
        [funnel.funnel_id for funnel in facts.funnels],
    )
    found = {row[:2]: row[2:] for row in rows}
    assert found.keys() == expected.keys()
    differing = [
        f"{key}: expected {name} {wanted}, found {value}"
        for key, values in found.items()
        for (name, wanted), value in zip(expected[key].items(), values, strict=True)
        if not _is_same(wanted, value)
    ]
    assert not differing, "\n".join([f"{len(differing)} differ:", *differing[:20]])


def test_shares_of_open_visits_have_wilson_intervals(marts: Tables) -> None:
    """Prevents an interval of another numerator or denominator than those beside it."""
    rows = marts.query(
        "select left_by_age, completed_visits, share_left_by_age_low, share_left_by_age_high"
        " from marts.open_visits where completed_visits > 0"
    )
    left, completed, low, high = (list(column) for column in zip(*rows, strict=True))
    expected_low, expected_high = proportion_confint(left, completed, method="wilson")
    assert low == pytest.approx(expected_low, abs=1e-12)
    assert high == pytest.approx(expected_high, abs=1e-12)


def _is_same(wanted: object, value: object) -> bool:
    if isinstance(wanted, float) and isinstance(value, float):
        return value == pytest.approx(wanted, rel=1e-12, abs=1e-11)
    if isinstance(wanted, float) and isinstance(value, Decimal):
        # An estimated amount, in ten-thousandths.
        return abs(Decimal(wanted) - value) <= Decimal("0.00006")
    return wanted == value


@pytest.mark.parametrize(
    "mart", ["funnel_conversion", "drop_off_points", "conversion_matrix", "cycle_times"]
)
def test_every_row_says_whether_its_segment_adds_up(marts: Tables, mart: str) -> None:
    """Prevents journeys that stand under several values from being summed unwarned."""
    found = marts.query(
        f"select distinct segment_name, segment_adds_up from marts.{mart}"
        " where funnel_id in ('deals', 'shop') order by all"
    )
    adding_up = {"all": True, "channel": True, "device": True, "products": False, "region": True}
    assert found == list(adding_up.items())


def test_the_random_facts_hold_what_is_hard(marts: Tables, facts: Facts) -> None:
    """Prevents facts at random that never come near what the models could get wrong."""
    [counts] = marts.query(
        """
        select
            (
                select count(distinct survival_p50) from marts.cycle_times where survival_p50 != p50
            ) as estimated_medians,
            (
                select count(*) from intermediate.int_stage_pairs where is_after_outcome
            ) as entries_after_the_outcome,
            (
                select count(*) from marts.conversion_matrix where subjects < transitions
            ) as repeated_transitions,
            (
                select count(*) from marts.drop_off_points where amount_unknown > 0
            ) as unknown_amounts,
            (
                select count(*) from marts.drop_off_points where best_quarter_wins > 0.1
            ) as gains_to_the_best_quarter,
            (
                select count(*) from marts.drop_off_points where best_segment_wins > 0.1
            ) as gains_to_the_best_segment,
            (
                select count(*) from marts.drop_off_points where best_quarter_wins < -0.1
            ) as rates_above_the_best_of_many,
            (
                select count(*) from marts.drop_off_points where best_quarter_rank > 1
            ) as leaks_ranked_lower,
            (
                select count(*) from marts.drop_off_points
                where came_back > 0 and came_back < lost + abandoned
            ) as some_came_back,
            (
                select count(*) from marts.after_drop_off where next_type = 'activity'
            ) as activities_next,
            (
                select count(*) from marts.after_drop_off where next_type = 'undated'
            ) as undated_ends
        """
    )
    assert all(isinstance(count, int) and count > 10 for count in counts), counts
    assert any(one.number == 0 for one in facts.journeys)
    assert any(one.number > 0 and one.entered_date is None for one in facts.journeys)
