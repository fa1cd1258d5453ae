"""Years of daily counts with known rates, in which nothing changes but what is planted.

Each funnel is a company of its own: `even` is pure chance; in `uneven days` and `uneven weeks` days
and weeks are better and worse than others, more than by chance; `seasons` has weekdays and years.
In `planted`, one rate falls for good in the last week.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.support.tables import Tables

FIRST = date(2022, 1, 3)
WEEKS = 140
QUIET = ("even", "uneven days", "uneven weeks", "seasons")
PLANTED = "planted"
STAGES = ("lead", "demo", "quote", "won")
STEP_RATES = (0.5, 0.4, 0.6)
REGIONS = {"north": 36, "south": 24}
# The rate from demo to quote falls by 30 % of itself.
FALL = 0.7
# Before it there is too little history for any test of weeks.
WEEKS_OF_HISTORY = 20
GRAINS = ("rolling_1", "rolling_7", "rolling_30", "week")

MODELS = (
    *("int_trend_spans", "int_trend_series", "int_trend_days", "int_trend_periods"),
    *("int_trend_baselines", "funnel_trends", "rate_change_explained", "int_leading_explanations"),
    *("int_reviews", "weekly_review", "metric_tests", "metric_alerts"),
)


def build_trends(home: Path, seed: int, weeks: int = WEEKS) -> Path:
    """Build the tables on trends from counts at random, with dbt's tests, and give the database.

    Raises:
        AssertionError: a model or a test of dbt failed.
    """
    settings = Settings.from_environment({"FUNNEL_HOME": str(home)})
    declarations.write_empty(settings.declarations)
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    _write(settings.build, _counts(np.random.default_rng(seed), weeks), weeks)
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", *MODELS),
            *("--exclude-resource-type", "unit_test"),
            *("--indirect-selection", "cautious"),
            *dbt.common_arguments(settings),
        ],
    )
    assert not outcome.failures, "\n".join(outcome.failure_lines)
    return settings.build


def quiet_nights(tables: Tables) -> pd.DataFrame:
    """What would be judged on each Sunday on which nothing changes, and its q-value, by company.

    A row for each comparison: `funnel_id`, `night`, `p_value`, `q_value`.
    """
    judged = tables._connection.execute(
        f"""
        select funnel_id, period_end_date as night, p_value
        from marts.funnel_trends
        where
            funnel_id != '{PLANTED}' and period_grain in {GRAINS} and segment_name = 'all'
            and dayname(period_end_date) = 'Sunday' and p_value is not null
            and coalesce(trials, expected) >= 30
            and period_end_date >= date '{FIRST + timedelta(weeks=WEEKS_OF_HISTORY)}'
        """
    ).df()
    q_values = judged.groupby(["funnel_id", "night"])["p_value"].transform(
        lambda p_values: multipletests(p_values, method="fdr_bh")[1]
    )
    return judged.assign(q_value=q_values)


def _counts(random: np.random.Generator, weeks: int) -> pd.DataFrame:
    """A row for each funnel, day and region: how many reached each stage."""
    days = 7 * weeks
    weekdays = np.tile([1.1, 1.2, 1.2, 1.1, 1.0, 0.6, 0.5], weeks)
    rows = []
    for funnel_id in (*QUIET, PLANTED):
        entries, rates = np.ones(days), np.ones(days)
        if funnel_id in ("seasons", PLANTED):
            entries = weekdays * (1 + 0.1 * np.sin(np.arange(days) * 2 * np.pi / 365.25))
        if funnel_id == "uneven days":
            entries = random.gamma(25, 1 / 25, days)
            rates = random.normal(1, 0.1, days).clip(0.6, 1.4)
        if funnel_id == "uneven weeks":
            entries = np.repeat(random.gamma(100, 1 / 100, weeks), 7)
            rates = np.repeat(random.normal(1, 0.05, weeks).clip(0.7, 1.3), 7)
        for region, mean in REGIONS.items():
            mean_of_day = mean * entries * (4 if funnel_id == PLANTED else 1)
            reached = [random.poisson(mean_of_day)]
            for place, rate in enumerate(STEP_RATES):
                by_day = rate * rates
                if funnel_id == PLANTED and place == 1:
                    by_day = by_day * np.where(np.arange(days) >= days - 7, FALL, 1)
                reached.append(random.binomial(reached[-1], by_day.clip(0, 1)))
            rows.append(
                pd.DataFrame(
                    {
                        "funnel_id": funnel_id,
                        "region": region,
                        "day": np.arange(days),
                        **dict(zip(STAGES, reached, strict=True)),
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def _write(database: Path, counts: pd.DataFrame, weeks: int) -> None:
    as_of = datetime.combine(FIRST, datetime.min.time()) + timedelta(weeks=weeks)
    stages = ", ".join(f"('{name}', {place})" for place, name in enumerate(STAGES, start=1))
    with duckdb.connect(str(database)) as connection:
        connection.register("counts", counts)
        connection.execute(
            f"""
            create schema core;
            create schema intermediate;
            create schema marts;
            create schema declarations;
            create table stages as
            select * from (values {stages}) as stages (stage_id, stage_position);
            create table core.dim_funnel_stages as
            select funnel_id, stage_id, cast(stage_position as integer) as stage_position
            from (select distinct funnel_id from counts), stages;
            create table intermediate.int_run as select timestamp '{as_of}' as as_of;
            create table intermediate.int_calendar_dates as
            select cast(date '{FIRST}' + cast(number as integer) as date) as calendar_date
            from range(-7, {7 * weeks + 60}) as numbers (number);

            create table regions as
            unpivot (
                select funnel_id, region, date '{FIRST}' + cast(day as integer) as entered, lead,
                lead as lead_, demo, quote, won
                from counts
            ) on lead_, demo, quote, won into name stage_id value reached;

            create table marts.funnel_conversion as
            with grains as (
                select unnest(['day', 'week', 'month']) as cohort_grain
            ),

            cohorts as (
                select
                    funnel_id, cohort_grain,
                    cast(case cohort_grain
                        when 'day' then entered
                        when 'week' then date_trunc('week', entered)
                        else date_trunc('month', entered)
                    end as date) as cohort_date,
                    region, rtrim(stage_id, '_') as stage_id, lead, reached
                from regions, grains
            ),

            added as (
                select
                    funnel_id, cohort_grain, cohort_date,
                    case when grouping(region) = 1 then 'all' else 'region' end as segment_name,
                    coalesce(region, 'all') as segment_value,
                    stage_id, sum(lead) as entered, sum(reached) as reached
                from cohorts
                group by grouping sets (
                    (funnel_id, cohort_grain, cohort_date, stage_id),
                    (funnel_id, cohort_grain, cohort_date, region, stage_id)
                )
            )

            select
                added.* exclude (entered, reached), stages.stage_position,
                true as segment_adds_up,
                cast(entered as bigint) as entered,
                cast(reached as bigint) as mature_reached,
                cast(lag(reached) over (
                    partition by
                        funnel_id, cohort_grain, cohort_date, segment_name, segment_value
                    order by stages.stage_position
                ) as bigint) as mature_reached_previous,
                cast(entered as bigint) as mature_entered
            from added inner join stages using (stage_id)
            where entered > 0;

            create table intermediate.int_cohort_segments as
            select distinct
                funnel_id, cohort_grain, cohort_date, segment_name, segment_value,
                entered as journeys, entered as mature_journeys
            from marts.funnel_conversion;

            create table declarations.benchmarks as
            select
                'even' as funnel_id, 'step_rate' as rate_name, 'quote' as stage_id,
                0.4e0 as benchmark_rate, 'the truth' as benchmark_name;

            create table declarations.watched_metrics as
            select
                funnel_id, metric, cast(null as varchar) as stage_id, 'all' as segment_name,
                period_grain, 'baseline' as compared_with, 'both' as direction,
                if(funnel_id = '{PLANTED}', 20e0, 0.001e0) as change, 'percent' as unit,
                30 as min_cases
            from (select distinct funnel_id from counts),
                unnest(['entries', 'reached', 'step_rate', 'overall_rate']) as metrics (metric),
                unnest({list(GRAINS)}) as grains (period_grain)
            union all
            select
                funnel_id, 'step_rate', 'quote', 'region', 'week', 'baseline', 'both', 0.001,
                'percent', 30
            from (select distinct funnel_id from counts);
            """
        )
