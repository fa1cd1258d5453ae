"""Differences of rates: every row against statsmodels, and none found where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.marts import plain_marts
from tests.marts.facts import Facts, Funnel, Journey
from tests.marts.plain_curves import REPORTABLE
from tests.marts.plain_marts import EVERYTHING, Group
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

# R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics
# in Medicine 17 (1998), table II, method 10: successes and trials of both sides, the interval.
PUBLISHED = {
    (56, 70, 48, 80): (0.0524, 0.3339),
    (9, 10, 3, 10): (0.1705, 0.8090),
    (6, 7, 2, 7): (0.0582, 0.8062),
    (5, 56, 0, 29): (-0.0381, 0.1926),
    (0, 10, 0, 20): (-0.1611, 0.2775),
    (0, 10, 0, 10): (-0.2775, 0.2775),
    (10, 10, 0, 20): (0.6791, 1.0000),
    (10, 10, 0, 10): (0.6075, 1.0000),
}

KEY = (
    *("funnel_id", "cohort_grain", "cohort_date", "segment_name", "segment_value"),
    *("stage_id", "rate_name", "compared_with"),
)
FAMILY = ("funnel_id", "cohort_grain", "cohort_date", "segment_name", "rate_name", "compared_with")
COUNTS = ("successes", "trials", "other_successes", "other_trials")
MEASURES = (
    *("rate", "rate_low", "rate_high", "other_rate", "other_rate_low", "other_rate_high"),
    *("difference", "difference_low", "difference_high", "p_value", "p_value_corrected"),
)
JUDGEMENTS = ("comparisons", "is_reportable", "is_compared", "is_significant")

# Journeys by the thousand, as counts: the true rates are the same for everybody, in all weeks, but
# in one funnel, where one step gets better in one week and stays so.
WEEKS = [date(2022, 1, 3) + timedelta(weeks=number) for number in range(150)]
VALUES = (2, 3, 3, 4, 5, 6, 8, 10)
STEP_RATES = (0.9, 0.3, 0.6, 0.05)
STAGES = "abcd"
CHANGED_WEEK = 75
CHANGE = 0.15

Key = tuple[object, ...]
Counts = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def without_difference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The mart of funnels whose true rates do not differ, and of the one with the change."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("equal"))})
    declarations.write_empty(settings.declarations)
    _write_counts(settings.build)
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", "conversion_differences"),
            *("--exclude-resource-type", "unit_test"),
            *("--indirect-selection", "cautious"),
            *dbt.common_arguments(settings),
        ],
    )
    assert not outcome.failures, [one.message for one in outcome.failures]
    tables = Tables(settings.build)
    yield tables
    tables.close()


def _write_counts(database: Path) -> None:
    random = np.random.default_rng(20250401)
    segments: list[tuple[object, ...]] = []
    stages: list[tuple[object, ...]] = []
    funnels = [*(f"equal {number}" for number in range(len(VALUES))), "changed"]
    for funnel_id, values in zip(funnels, (*VALUES, 2), strict=True):
        # Large segments and small ones, as they come.
        sizes = np.exp(random.uniform(np.log(8), np.log(3000), values))
        if funnel_id == "changed":
            sizes = np.full(values, 600)
        entered = random.poisson(sizes, (len(WEEKS), values))
        reached = [random.binomial(entered, STEP_RATES[0])]
        for step, rate in enumerate(STEP_RATES[1:]):
            by_week = np.full((len(WEEKS), 1), rate)
            if funnel_id == "changed" and step == 0:
                by_week[CHANGED_WEEK:] += CHANGE
            reached.append(random.binomial(reached[-1], by_week))
        for week, cohort_date in enumerate(WEEKS):
            columns = [("letter", chr(ord("A") + value), [value]) for value in range(values)]
            for name, value, parts in (*columns, ("all", "all", list(range(values)))):
                number = len(segments) + 1
                journeys = int(entered[week, parts].sum())
                segments.append((number, funnel_id, "week", cohort_date, name, value, journeys))
                stages += [
                    (number, stage_id, position, int(counts[week, parts].sum()))
                    for position, (stage_id, counts) in enumerate(
                        zip(STAGES, reached, strict=True), start=1
                    )
                ]
    for number, (one, trials, other, other_trials) in enumerate(PUBLISHED):
        for segment, successes, journeys in (
            (("letter", "A"), one, trials),
            (("letter", "B"), other, other_trials),
            (("all", "all"), one + other, trials + other_trials),
        ):
            cohort = (len(segments) + 1, "published", "year", date(2000 + 2 * number, 1, 1))
            segments.append((*cohort, *segment, journeys))
            stages += [(cohort[0], "a", 1, journeys), (cohort[0], "b", 2, successes)]
    funnels.append("published")
    frames = {
        "segments": pd.DataFrame(segments),
        "stages": pd.DataFrame(stages),
        "funnels": pd.DataFrame(funnels),
    }
    database.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(database)) as connection:
        for name, frame in frames.items():
            connection.register(name, frame)
        connection.execute(
            """
            create schema core;
            create schema intermediate;
            create table core.dim_funnels as
            select funnels."0" as funnel_id, 'furthest' as order_mode from funnels;
            create table core.dim_funnel_stages as
            select funnel_id, unnest(['a', 'b', 'c', 'd']) as stage_id, false as is_optional
            from core.dim_funnels;
            create table intermediate.int_cohort_segments as
            select
                "0" as cohort_segment_id, "1" as funnel_id, "2" as cohort_grain,
                cast("3" as date) as cohort_date, "4" as segment_name, "5" as segment_value,
                true as segment_adds_up, "6" as mature_journeys
            from segments;
            create table intermediate.int_cohort_stages as
            select
                "0" as cohort_segment_id, "1" as stage_id, cast("2" as integer) as stage_position,
                "3" as mature_reached
            from stages;
            """
        )


def test_every_row_compares_the_journeys_that_it_says(marts: Tables, facts: Facts) -> None:
    """Prevents a rest that holds the value itself, unripe journeys and a period that is not next.

    The rest is worked out journey by journey, the period before by the calendar.
    """
    expected = _pairs(facts)
    rows = marts.query(
        f"select {', '.join((*KEY, *COUNTS))} from marts.conversion_differences"
        f" where funnel_id in ({', '.join('?' for _ in facts.funnels)})",
        [funnel.funnel_id for funnel in facts.funnels],
    )
    found = {row[: len(KEY)]: row[len(KEY) :] for row in rows}
    assert len(found) == len(rows) > 2000
    assert found == expected
    sides = {key[-1]: counts for key, counts in expected.items()}
    assert sides.keys() == {"rest_of_segment", "previous_period"}


def test_every_row_agrees_with_statsmodels(marts: Tables) -> None:
    """Prevents an interval, a p-value or a correction of another method, also at 0 and at all."""
    _assert_agreement(marts, least_compared=50)


def test_every_row_of_many_journeys_agrees_with_statsmodels(without_difference: Tables) -> None:
    """Prevents counts that overflow, and corrections that are right for a few p-values only."""
    _assert_agreement(without_difference, least_compared=5_000)


@pytest.mark.parametrize("compared_with", ["rest_of_segment", "previous_period"])
@pytest.mark.parametrize("rate_name", ["step_rate", "overall_rate"])
def test_where_nothing_differs_few_families_say_that_something_does(
    without_difference: Tables, compared_with: str, rate_name: str
) -> None:
    """Prevents news made of chance: at most one family in twenty may have any, whatever its size.

    Of a thousand families, 5% is 5 +- 0.7 percentage points, and uncorrected far more are wrong.
    """
    [(families, corrected, uncorrected)] = without_difference.query(
        f"""
        with families as (
            select
                bool_or(is_significant) as is_significant,
                bool_or(p_value < 0.05) as is_somewhere_below
            from marts.conversion_differences
            where compared_with = ? and rate_name = ? and funnel_id like 'equal %'
            group by {", ".join(FAMILY)}
            having count(*) filter (where is_compared) > 1
        )

        select
            count(*),
            count(*) filter (where is_significant),
            count(*) filter (where is_somewhere_below)
        from families
        """,
        [compared_with, rate_name],
    )
    assert families > 1000
    assert 0.005 < corrected / families < 0.06
    assert uncorrected / families > 0.15


def test_a_true_change_is_found_in_its_week(without_difference: Tables) -> None:
    """Prevents a correction that lets nothing through, and a change of the wrong sign or week."""
    [row] = without_difference.query(
        """
        select is_significant, difference > 0, difference_low, difference_high
        from marts.conversion_differences
        where
            funnel_id = 'changed' and cohort_date = ? and segment_name = 'all'
            and compared_with = 'previous_period' and rate_name = 'step_rate' and stage_id = 'b'
        """,
        [WEEKS[CHANGED_WEEK]],
    )
    assert row[:2] == (True, True)
    assert row[2] < CHANGE < row[3]


def test_the_published_intervals_come_out(without_difference: Tables) -> None:
    """Prevents an interval of another method than the one that is named."""
    rows = without_difference.query(
        f"""
        select {", ".join(COUNTS)}, round(difference_low, 4), round(difference_high, 4)
        from marts.conversion_differences
        where
            funnel_id = 'published' and segment_value = 'A' and stage_id = 'b'
            and rate_name = 'overall_rate'
        """
    )
    assert {row[:4]: row[4:] for row in rows} == PUBLISHED


def _assert_agreement(tables: Tables, least_compared: int) -> None:
    columns = (*FAMILY, *COUNTS, *MEASURES, *JUDGEMENTS)
    rows = pd.DataFrame(
        tables.query(
            f"select {', '.join(columns)} from marts.conversion_differences"
            # Some of the many weeks are enough, and take some of the time.
            " where cohort_date is null or cohort_date < '2022-06-01' or cohort_date > '2024-11-15'"
        ),
        columns=list(columns),
    )
    one, trials, other, other_trials = (rows[name].to_numpy() for name in COUNTS)
    pooled = (one + other) / (trials + other_trials)
    can_differ = (pooled > 0) & (pooled < 1)
    # By Cochran's rule, each side on its own.
    expected = [pooled * trials, (1 - pooled) * trials, pooled * other_trials]
    expected.append((1 - pooled) * other_trials)
    # A product of rates may miss a whole number by a hair.
    is_normal = np.min(expected, axis=0) >= 5 - 1e-9
    is_reportable = (trials >= REPORTABLE) & (other_trials >= REPORTABLE)
    p_values = [
        proportions_ztest(counts[:, 0], counts[:, 1])[1]
        for counts in np.stack([one, other, trials, other_trials], axis=1)
        .reshape(-1, 2, 2)
        .transpose(0, 2, 1)[can_differ]
    ]
    wanted = {
        "rate": one / trials,
        "other_rate": other / other_trials,
        "difference": one / trials - other / other_trials,
        "p_value": pd.Series(p_values, index=rows.index[can_differ]).reindex(rows.index),
    }
    ends = {
        "rate": proportion_confint(one, trials, method="wilson"),
        "other_rate": proportion_confint(other, other_trials, method="wilson"),
        "difference": confint_proportions_2indep(
            one, trials, other, other_trials, method="newcomb", compare="diff"
        ),
    }
    for name, (low, high) in ends.items():
        wanted |= {f"{name}_low": low, f"{name}_high": high}
    for name, values in wanted.items():
        wrong = ~np.isclose(
            rows[name].astype(float), np.asarray(values), rtol=1e-7, atol=1e-12, equal_nan=True
        )
        assert rows[wrong].empty, name
    is_compared = is_reportable & is_normal
    assert is_compared.sum() >= least_compared
    judged = {
        "is_reportable": (rows["is_reportable"], is_reportable),
        "is_compared": (rows["is_compared"], is_compared),
        "p_value_corrected": (rows["p_value_corrected"].notna(), is_compared),
    }
    for name, (judgement, right) in judged.items():
        assert rows[judgement != right].empty, name
    assert not rows.loc[~is_compared, "is_significant"].any()
    families: dict[Key, list[int]] = {}
    for row, family in enumerate(zip(*(rows[name].tolist() for name in FAMILY), strict=True)):
        families.setdefault(family, []).append(row)
    p_value, corrected = rows["p_value"].to_numpy(), rows["p_value_corrected"].to_numpy()
    comparisons, is_significant = rows["comparisons"].tolist(), rows["is_significant"].to_numpy()
    # Each call of multipletests collects the garbage of the whole process.
    every = len(families) // 40
    for number, members in enumerate(families.values()):
        compared = [row for row in members if is_compared[row]]
        assert {comparisons[row] for row in members} == {len(compared)}
        if compared and number % every == 0:
            is_rejected, holm, *_ = multipletests(p_value[compared], 0.05, method="holm")
            assert np.allclose(corrected[compared], holm, rtol=1e-12, atol=0)
            assert is_significant[compared].tolist() == is_rejected.tolist()


def _pairs(facts: Facts) -> dict[Key, Counts]:
    """The counts of every row."""
    groups = {
        (funnel.funnel_id, group): (funnel, [one for one in column.journeys if one.is_mature])
        for funnel, group, column in plain_marts.columns(facts)
        if group[0] != "day"
    }
    rows: dict[Key, Counts] = {}
    for (funnel_id, group), (funnel, journeys) in groups.items():
        everybody = groups[funnel_id, (*group[:2], *EVERYTHING[2:])][1]
        within = {id(one) for one in journeys}
        others = {"previous_period": groups.get((funnel_id, _before(group)), (funnel, []))[1]}
        if group[2] != "all":
            others["rest_of_segment"] = [one for one in everybody if id(one) not in within]
        for compared_with, other in others.items():
            theirs = dict(_rates(funnel, other))
            for rate, (successes, trials) in _rates(funnel, journeys):
                if trials and theirs[rate][1]:
                    counts = (successes, trials, *theirs[rate])
                    rows[(funnel_id, *group, *rate, compared_with)] = counts
    return rows


def _rates(
    funnel: Funnel, journeys: list[Journey]
) -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """Stage and name of each rate, with its successes and trials."""
    base: int | None = None
    for stage in funnel.ladder:
        reached = sum(stage in one.reached for one in journeys)
        yield (stage.stage_id, "overall_rate"), (reached, len(journeys))
        if base is not None:
            yield (stage.stage_id, "step_rate"), (reached, base)
        if funnel.order_mode != "any" or not stage.is_optional:
            base = reached


def _before(group: Group) -> Group:
    """The group of the period before; of the grain `all`, one that there is not."""
    grain, first, *segment = group
    if first is None:
        return ("none", None, "none", "none")
    last = first - timedelta(days=1)
    starts = {
        "year": last.replace(month=1, day=1),
        "quarter": last.replace(month=(last.month - 1) // 3 * 3 + 1, day=1),
        "month": last.replace(day=1),
        "week": last - timedelta(days=6),
    }
    return (grain, starts[grain], segment[0], segment[1])
