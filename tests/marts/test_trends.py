"""Trends and alerts: against plain Python, in quiet weeks, and with a planted change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.marts.watched_counts import FIRST, PLANTED, QUIET, build_trends, quiet_nights
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

WEEKS = 75
LAST = FIRST + timedelta(weeks=WEEKS) - timedelta(days=1)


@pytest.fixture(scope="module")
def trends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The tables of five companies, nothing of which changes but one rate of one of them."""
    tables = Tables(build_trends(tmp_path_factory.mktemp("trends"), seed=20250901, weeks=WEEKS))
    yield tables
    tables.close()


def frame(tables: Tables, sql: str) -> pd.DataFrame:
    return tables._connection.execute(sql).df()


def test_in_quiet_weeks_at_most_one_night_in_twenty_has_a_false_alarm(trends: Tables) -> None:
    """Prevents alerts that nobody reads: each night's false-alarm rate is claimed to be 5 %.

    Also where days or weeks are uneven beyond chance, and where there are seasons.
    """
    nights = quiet_nights(trends)
    alarms = nights.groupby(["funnel_id", "night"])["q_value"].min() <= 0.05
    assert len(alarms) > 50 * len(QUIET)
    assert alarms.mean() <= 0.05
    # Without the correction every second night would have some.
    assert (nights.groupby(["funnel_id", "night"])["p_value"].min() < 0.05).mean() > 0.3


def test_p_values_are_what_they_claim(trends: Tables) -> None:
    """Prevents a test that is blind: of quiet periods some 5 % are below 0.05, not far fewer."""
    judged = frame(
        trends,
        f"""
        select period_grain, p_value from marts.funnel_trends
        where funnel_id != '{PLANTED}' and p_value is not null and segment_name = 'all'
        """,
    )
    shares = (judged["p_value"] < 0.05).groupby(judged["period_grain"]).mean()
    for grain in ("day", "week", "rolling_1", "rolling_7"):
        assert 0.02 < shares[grain] < 0.055, grain


def test_the_planted_change_alerts_and_is_explained(trends: Tables) -> None:
    """Prevents a fall by 30 % from going unsaid, and from being told as something else."""
    alerts = trends.query(
        """
        select metric, stage_id, period_grain, unit, round(size), certainty, headline, explanation
        from marts.metric_alerts
        where funnel_id = ? and segment_name = 'all'
        """,
        [PLANTED],
    )
    [week] = [row for row in alerts if row[:3] == ("step_rate", "quote", "week")]
    assert -40 < week[4] < -20
    assert week[5] == "practically certain"
    assert week[6].startswith("planted: step rate of quote fell to ")
    assert f"from {LAST - timedelta(days=6)} to {LAST}." in week[6]
    assert f"In the week of {LAST - timedelta(days=6)}, step rate fell from" in week[7]
    assert "by rates within it)" in week[7]
    # What goes through the stage falls as well; what does not, stays.
    assert {row[:2] for row in alerts} <= {
        *(("step_rate", "quote"), ("overall_rate", "quote"), ("overall_rate", "won")),
        *(("reached", "quote"), ("reached", "won")),
    }


def test_tests_are_corrected_as_statsmodels_does(trends: Tables) -> None:
    """Prevents a false-discovery rate over another family than all that is watched."""
    judged = frame(trends, "select * from marts.metric_tests")
    tested = judged[judged["p_value"].notna()]
    assert len(tested) > 150
    assert set(judged["tests"]) == {len(tested)}
    right = multipletests(tested["p_value"], method="fdr_bh")[1]
    assert np.allclose(tested["q_value"], right, rtol=1e-12)
    is_alert = tested["is_large"] & (right <= 0.05)
    assert (tested["is_alert"] == is_alert).all()
    assert not judged.loc[judged["p_value"].isna(), "is_alert"].any()
    [alerts] = trends.query("select count(*) from marts.metric_alerts")
    assert alerts == (is_alert.sum(),)


@pytest.mark.parametrize("metric", ["entries", "step_rate"])
@pytest.mark.parametrize("grain", ["day", "week", "month", "rolling_7", "rolling_30"])
def test_every_figure_is_that_of_plain_python(trends: Tables, metric: str, grain: str) -> None:
    """Prevents a baseline of other days, and a test of another kind than the one described."""
    stage_id = "lead" if metric == "entries" else "quote"
    days = frame(
        trends,
        f"""
        select
            cohort_date, mature_entered, mature_reached, mature_reached_previous
        from marts.funnel_conversion
        where
            funnel_id = 'uneven days' and cohort_grain = 'day' and segment_name = 'all'
            and stage_id = '{stage_id}'
        """,
    ).set_index("cohort_date")
    days.index = pd.to_datetime(days.index)
    days = days.reindex(pd.date_range(FIRST, LAST), fill_value=0).fillna(0)
    cases = days["mature_entered" if metric == "entries" else "mature_reached"].to_numpy()
    trials = {
        "step_rate": days["mature_reached_previous"].to_numpy(),
        "overall_rate": days["mature_entered"].to_numpy(),
    }.get(metric)
    found = frame(
        trends,
        f"""
        select * from marts.funnel_trends
        where
            funnel_id = 'uneven days' and segment_name = 'all' and metric = '{metric}'
            and stage_id = '{stage_id}' and period_grain = '{grain}'
        order by period_date
        """,
    )
    expected = plain_trends(cases, trials, grain)
    assert len(found) == len(expected) > 12
    assert [one.date() for one in found["period_start_date"]] == expected["start"].to_list()
    for column in ("cases", "expected", "dispersion", "dispersion_periods", "p_value"):
        right = expected[column].to_numpy(dtype=float)
        assert np.isfinite(right).sum() > 1, column
        assert np.allclose(
            found[column].astype(float), right, rtol=1e-4, atol=1e-12, equal_nan=True
        ), column


def plain_trends(cases: np.ndarray, trials: np.ndarray | None, grain: str) -> pd.DataFrame:
    """The rows of a series of one grain, each worked out by itself from the days."""
    rows = []
    for start, length, befores in periods(grain, len(cases)):
        row = surprise(cases, trials, start, length, befores)
        looked_at = [surprise(cases, trials, *past) for past in pasts(grain, start) if past[0] >= 0]
        squares = [min(one["z"] ** 2, 16) for one in looked_at if one["z"] is not None]
        row["dispersion_periods"] = len(squares)
        row["dispersion"] = max(1, np.mean(squares)) if len(squares) >= 8 else np.nan
        if grain in ("month", "rolling_30") and len(squares) >= 8:
            months = [
                surprise(cases, trials, end - 29, 30, steps(end - 29, 30, 35, 4))
                for end in range(start - 1, start - 1 - 26 * 7, -7)
                if end >= 29
            ]
            longer = [min(one["z"] ** 2, 16) for one in months if one["z"] is not None]
            row["dispersion"] = max(row["dispersion"], np.mean(longer) if longer else 0)
        if row["z"] is not None and np.isfinite(row["dispersion"]) and row["is_testable"]:
            t = abs(row["z"]) / np.sqrt(row["dispersion"])
            row["p_value"] = 2 * stats.t.sf(t, len(squares))
        rows.append(row | {"start": FIRST + timedelta(days=start)})
    return pd.DataFrame(rows)


Period = tuple[int, int, list[tuple[int, int]]]


def periods(grain: str, days: int) -> Iterator[Period]:
    """First day and length of each period, and of those that it is held against."""
    if grain == "month":
        firsts = [day for day in range(days + 1) if (FIRST + timedelta(days=day)).day == 1]
        whole = [(one, after - one) for one, after in pairwise(firsts)]
        for place, (start, length) in enumerate(whole):
            yield start, length, whole[max(0, place - 4) : place]
        return
    length = {"day": 1, "week": 7, "rolling_7": 7, "rolling_30": 30}[grain]
    for start in range(0, days - length + 1, 7 if grain == "week" else 1):
        apart, most = (35, 4) if grain == "rolling_30" else (7, 8)
        yield start, length, steps(start, length, apart, most)


def steps(start: int, length: int, apart: int, most: int) -> list[tuple[int, int]]:
    return [
        (start - number * apart, length)
        for number in range(1, most + 1)
        if start - number * apart >= 0
    ]


def pasts(grain: str, start: int) -> list[Period]:
    """The periods that tell how far such a one goes astray."""
    if grain == "day":
        return [(day, 1, steps(day, 1, 7, 8)) for day in range(start - 56, start)]
    return [(start - 7 * number, 7, steps(start - 7 * number, 7, 7, 8)) for number in range(1, 27)]


def surprise(
    cases: np.ndarray,
    trials: np.ndarray | None,
    start: int,
    length: int,
    befores: list[tuple[int, int]],
) -> dict[str, Any]:
    """What was expected of a period, and how far it is from that."""
    x = cases[start : start + length].sum()
    row: dict[str, Any] = {"cases": x, "expected": np.nan, "z": None, "p_value": np.nan}
    row["is_testable"] = False
    # Half of the periods have to be there.
    if len(befores) < (2 if length > 7 else 4):
        return row
    before = np.concatenate([np.arange(one, one + size) for one, size in befores])
    y = cases[before].sum()
    if trials is None:
        share = length / len(before)
        expected = y * share
        z = score = (x - expected) / np.sqrt((x + y) * share / (1 + share) * (1 + share))
        angle = 2 * (np.sqrt(x + 0.375) - np.sqrt(expected + 0.375)) / np.sqrt(1 + share)
        row["is_testable"] = min(expected, y) >= 5
    else:
        n, m = trials[start : start + length].sum(), trials[before].sum()
        expected = y / m if m else np.nan
        if not n or not m:
            return row | {"expected": expected}
        p = (x + y) / (n + m)
        score = (x / n - y / m) / np.sqrt(p * (1 - p) * (1 / n + 1 / m))
        angles = [np.arcsin(np.sqrt((a + 0.375) / (b + 0.75))) for a, b in ((x, n), (y, m))]
        angle = 2 * (angles[0] - angles[1]) / np.sqrt(1 / (n + 0.5) + 1 / (m + 0.5))
        row["is_testable"] = min(n, m) * min(p, 1 - p) >= 5
    z = min(abs(score), abs(angle))
    return row | {"expected": expected, "z": z}


def test_a_review_holds_the_last_week_against_the_one_before(trends: Tables) -> None:
    """Prevents a review of a week that is not over, and a benchmark of another stage."""
    rows = frame(trends, "select * from marts.weekly_review where funnel_id = 'even'")
    assert len(rows) == 10
    assert {one.date() for one in rows["period_date"]} == {LAST - timedelta(days=6)}
    [row] = rows[(rows["metric"] == "step_rate") & (rows["stage_id"] == "quote")].to_dict("records")
    counts = {
        week: trends.query(
            """
            select mature_reached, mature_reached_previous from marts.funnel_conversion
            where funnel_id = 'even' and cohort_grain = 'week' and cohort_date = ?
            and segment_name = 'all' and stage_id = 'quote'
            """,
            [week],
        )[0]
        for week in (LAST - timedelta(days=6), LAST - timedelta(days=13))
    }
    assert [(row["cases"], row["trials"]), (row["previous_cases"], row["previous_trials"])] == [
        *counts.values()
    ]
    assert row["benchmark_name"] == "the truth"
    assert row["benchmark_difference"] == pytest.approx(row["value"] - 0.4)
    assert rows["benchmark_rate"].notna().sum() == 1


def test_changes_of_mix_and_rates_add_up_to_the_change(trends: Tables) -> None:
    """Prevents a split with a remainder, which nobody could explain."""
    rows = frame(trends, "select * from marts.rate_change_explained")
    change = ["funnel_id", "cohort_grain", "cohort_date", "segment_name", "stage_id", "rate_name"]
    by_change = rows.groupby(change)
    assert len(by_change) > 1000
    wanted = by_change["total_change"].first()
    assert np.allclose(by_change["effect"].sum(), wanted, rtol=0, atol=1e-12)
    # Kitagawa's, from the counts, without the words of the model.
    shares = [rows["trials"] / rows["total_trials"]]
    shares.append(rows["previous_trials"] / rows["previous_total_trials"])
    rates = [rows["successes"] / rows["trials"]]
    rates.append(rows["previous_successes"] / rows["previous_trials"])
    rows["plain_mix"] = (shares[0] - shares[1]) * (rates[0] + rates[1]) / 2
    mixes = rows.groupby(change)[["plain_mix", "mix_effect"]].sum()
    assert np.allclose(mixes["plain_mix"], mixes["mix_effect"], rtol=0, atol=1e-12)
    assert np.allclose(mixes["mix_effect"], by_change["total_mix_effect"].first(), atol=1e-12)


def test_last_year_is_that_of_the_same_weekdays(trends: Tables) -> None:
    """Prevents a Sunday from being held against a Saturday."""
    rows = trends.query(
        """
        select period_date, last_year_cases from marts.funnel_trends
        where funnel_id = 'seasons' and metric = 'entries' and segment_name = 'all'
            and period_grain = 'day' and last_year_cases is not null
        """
    )
    cases = dict(
        trends.query(
            """
            select cohort_date, mature_entered from marts.funnel_conversion
            where funnel_id = 'seasons' and cohort_grain = 'day' and segment_name = 'all'
                and stage_id = 'lead'
            """
        )
    )
    assert len(rows) == 7 * (WEEKS - 52)
    assert all(cases[day - timedelta(days=364)] == count for day, count in rows)
    assert isinstance(rows[0][0], date)
