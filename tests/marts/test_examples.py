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


def test_what_happens_at_one_instant_is_one_point(marts: Tables) -> None:
    """Prevents the second of two wins at an instant from being drawn after the first.

    Four at risk, of whom after two days two are won and one is lost: 1/2, 1/4, and 1/4 are left.
    The variance of 2 of 4 is 1/16, on log(-log) the standard error is 0.25 / (0.5 ln 2) = 0.7213,
    and the ends are 0.5 to the power of exp(1.96 * 0.7213) = 4.111 and of 1 / 4.111.
    """
    points = marts.query(
        """
        select seconds, waits, at_risk, share, share_low, share_high, competing_share,
            undecided_share
        from marts.survival_curves
        where funnel_id = 'together' and event = 'reached' and cohort_grain = 'all'
        """
    )
    wanted = (172800, 4, 4, 0.5, 0.0579, 0.8448, 0.25, 0.25)
    assert points == [pytest.approx(wanted, abs=1e-4)]
    [never] = marts.query(
        """
        select corrected_entered, corrected_reached_previous, never_rate, never_rate_low,
            never_rate_high, corrected_overall_rate_is_reportable
        from marts.funnel_conversion
        where funnel_id = 'together' and stage_id = 'bought' and cohort_grain = 'all'
        """
    )
    # Of 1/4 the variance is 3/64, the error 0.2165 / (0.25 ln 4) = 0.6247, the power 3.402.
    assert (*never[:2], never[-1]) == (4, 4, False)
    assert never[2:-1] == pytest.approx((0.25, 0.25**3.402, 0.25 ** (1 / 3.402)), abs=1e-4)


def test_before_the_first_step_of_a_curve_the_rate_and_its_lower_end_are_0(marts: Tables) -> None:
    """Prevents a rate of 0 that looks as if nothing were known of it."""
    horizons = marts.query(
        """
        select horizon_days, corrected_rate, corrected_rate_low, corrected_rate_high is null
        from marts.conversion_by_horizon
        where funnel_id = 'together' and event = 'reached' and cohort_grain = 'all'
        order by horizon_days
        """
    )
    assert horizons[0] == (1, 0, 0, True)
    assert horizons[1][:2] == (7, 0.5)
    assert horizons[2] == (90, None, None, True)


def test_without_mature_journeys_no_rate_of_them_has_an_interval(marts: Tables) -> None:
    """Prevents an interval from 0 on around a rate that is not there."""
    rows = marts.query(
        """
        select stage_id, mature_entered, mature_step_rate, mature_step_rate_low,
            mature_step_rate_high, mature_overall_rate, mature_overall_rate_low,
            mature_step_rate_is_reportable
        from marts.funnel_conversion
        where funnel_id = 'together' and cohort_grain = 'all' order by stage_position
        """
    )
    assert rows == [(stage, 0, *[None] * 5, False) for stage in ("asked", "bought")]
