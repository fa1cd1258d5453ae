"""The published figures of worked examples come out of the marts."""

from __future__ import annotations

from datetime import date

import pytest

from tests.marts.examples import FOOD_DAY, FOOD_SUBJECTS, WEEK_DAYS, WEEK_SUBJECTS
from tests.support.tables import Tables

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("funnel_id", "cohort", "subjects", "overall", "steps"),
    [
        (
            "food",
            ("day", FOOD_DAY),
            FOOD_SUBJECTS,
            (100, 44.2, 28.8, 11.5, 9.6, 5.8, 3.8, 3.5, 2.3, 1.9),
            (None, 44.2, 65.2, 40.0, 83.3, 60.0, 66.7, 90.0, 66.7, 83.3),
        ),
        (
            "week",
            ("week", WEEK_DAYS[0]),
            WEEK_SUBJECTS,
            (100, 80, 40, 20, 10, 5),
            (None, 80, 50, 50, 50, 50),
        ),
    ],
)
def test_the_shares_of_a_published_funnel_come_out(
    marts: Tables,
    funnel_id: str,
    cohort: tuple[str, date],
    subjects: tuple[int, ...],
    overall: tuple[float, ...],
    steps: tuple[float | None, ...],
) -> None:
    """Prevents shares of another base, and cohorts that lose journeys of their period."""
    rows = marts.query(
        "select reached, round(100 * overall_rate, 1), round(100 * step_rate, 1)"
        " from marts.funnel_conversion"
        " where funnel_id = ? and cohort_grain = ? and cohort_date = ? and segment_name = 'all'"
        " order by stage_position",
        [funnel_id, *cohort],
    )
    assert rows == list(zip(subjects, overall, steps, strict=True))


def test_the_best_step_of_the_weekly_report_is_its_first(marts: Tables) -> None:
    """Prevents the steps from being mixed up with the shares of the whole."""
    [row] = marts.query(
        "select max_by(stage_id, step_rate), max(step_rate) from marts.funnel_conversion"
        " where funnel_id = 'week' and cohort_grain = 'week' and segment_name = 'all'"
    )
    assert row == ("contact", 0.8)


# The published intervals of 81 of 263, 15 of 148, 0 of 20 and 1 of 29: R. G. Newcombe, Two-sided
# confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I. They
# are held against the marts in `tests/semantics`; here are the ends that floats would miss.
def test_intervals_of_all_and_of_none_end_at_one_and_at_zero(marts: Tables) -> None:
    """Prevents bounds that are out of 0 to 1 by a hair, or a certainty from few journeys."""
    none = marts.query(
        "select distinct step_rate_low, step_rate_high < 1 from marts.funnel_conversion"
        " where step_rate = 0"
    )
    everyone = marts.query(
        "select distinct step_rate_low > 0, step_rate_low < 1, step_rate_high"
        " from marts.funnel_conversion where step_rate = 1"
    )
    assert none == [(0.0, True)]
    assert everyone == [(True, True, 1.0)]


def test_open_deals_count_as_long_as_they_are_seen(marts: Tables) -> None:
    """Prevents open deals that count as lost, and another outcome that counts as waiting on.

    Five at risk: 1/5 is won after one second. The second is censored. Of three the third is lost:
    the survival goes from 4/5 to 8/15, of which half is won after four seconds: 1/5 + 4/15.
    """
    points = marts.query(
        """
        select seconds, at_risk, share, competing_share, undecided_share
        from marts.survival_curves
        where funnel_id = 'five' and event = 'won' and cohort_grain = 'all'
        order by point_number
        """
    )
    assert [point[:2] for point in points] == [(1, 5), (4, 2)]
    assert points[0][2:] == pytest.approx((1 / 5, 0, 4 / 5))
    assert points[1][2:] == pytest.approx((7 / 15, 4 / 15, 4 / 15))
    [conversion] = marts.query(
        """
        select overall_rate, corrected_overall_rate, never_rate, undecided_rate
        from marts.funnel_conversion
        where funnel_id = 'five' and stage_id = 'bought' and cohort_grain = 'all'
        """
    )
    assert conversion == pytest.approx((2 / 5, 7 / 15, 4 / 15, 4 / 15))
