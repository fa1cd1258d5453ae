{#- Below this a statistic is too far from normal for its p-value to be believed (Cochran). -#}
{%- set fewest_expected = 5 -%}

with

series as (
    select
        series_id,
        funnel_id,
        metric,
        is_rate,
        stage_id,
        stage_position,
        segment_name,
        segment_value,
    from {{ ref('int_trend_series') }}
),

periods as (
    select
        series_id,
        period_grain,
        period_date,
        period_start_date,
        period_end_date,
        days,
        cases,
        trials,
    from {{ ref('int_trend_periods') }}
),

baselines as (
    select
        series_id,
        period_grain,
        period_date,
        baseline_periods,
        baseline_days,
        baseline_cases,
        baseline_trials,
        has_baseline,
        z,
        dispersion_periods,
        dispersion,
    from {{ ref('int_trend_baselines') }}
),

benchmarks as (
    select
        funnel_id,
        rate_name,
        stage_id,
        benchmark_rate,
        benchmark_name,
    from {{ ref('benchmarks') }}
),

years_ago as (
    select
        series_id,
        period_grain,
        -- Weeks and days of a year ago are those of the same weekday.
        cast(
            case
                when period_grain in ('year', 'quarter', 'month')
                    then {{ dbt.dateadd('year', 1, 'period_date') }}
                else {{ dbt.dateadd('day', 364, 'period_date') }}
            end as date
        ) as period_date,
        days,
        cases,
        trials,
    from periods
),

compared_periods as (
    select
        series.funnel_id,
        series.metric,
        series.is_rate,
        series.stage_id,
        series.stage_position,
        series.segment_name,
        series.segment_value,
        periods.period_grain,
        periods.period_date,
        periods.period_start_date,
        periods.period_end_date,
        periods.days,
        periods.cases,
        periods.trials,
        baselines.baseline_periods,
        case when baselines.baseline_periods > 0 then baselines.baseline_days end as baseline_days,
        baselines.baseline_cases,
        baselines.baseline_trials,
        baselines.has_baseline,
        baselines.z,
        baselines.dispersion_periods,
        baselines.dispersion,
        years_ago.days as last_year_days,
        years_ago.cases as last_year_cases,
        years_ago.trials as last_year_trials,
        case
            when series.is_rate
                then {{ rate_z(
                    'periods.cases', 'periods.trials', 'years_ago.cases', 'years_ago.trials'
                ) }}
            else {{ count_z('periods.cases', 'periods.days', 'years_ago.cases', 'years_ago.days') }}
        end as last_year_z,
        benchmarks.benchmark_name,
        benchmarks.benchmark_rate,
        {{ rate_z_of('periods.cases', 'periods.trials', 'benchmarks.benchmark_rate') }}
            as benchmark_z,
    from periods
    inner join series on periods.series_id = series.series_id
    inner join baselines
        on
            periods.series_id = baselines.series_id
            and periods.period_grain = baselines.period_grain
            and periods.period_date = baselines.period_date
    left join years_ago
        on
            periods.series_id = years_ago.series_id
            and periods.period_grain = years_ago.period_grain
            and periods.period_date = years_ago.period_date
    left join benchmarks
        on
            series.funnel_id = benchmarks.funnel_id
            and series.metric = benchmarks.rate_name
            and series.stage_id = benchmarks.stage_id
),

valued_periods as (
    select
        *,
        case
            when is_rate then {{ rate('cases', 'trials') }}
            else cast(cases as double)
        end as value,
        case
            when not has_baseline then null
            when is_rate then {{ rate('baseline_cases', 'baseline_trials') }}
            else cast(baseline_cases as double) * days / baseline_days
        end as expected,
        case
            when is_rate then {{ rate('last_year_cases', 'last_year_trials') }}
            else cast(last_year_cases as double) * days / last_year_days
        end as last_year_value,
    from compared_periods
),

judged_periods as (
    select
        *,
        case
            when is_rate
                then
                    sqrt(expected * (1e0 - expected))
                    * sqrt(1e0 / nullif(trials, 0) + 1e0 / nullif(baseline_trials, 0))
            else sqrt(expected * (1e0 + cast(days as double) / baseline_days))
        end * sqrt(dispersion) * {{ student_bound('dispersion_periods') }} as expected_margin,
        case
            when is_rate
                then
                    least(trials, baseline_trials)
                    * least(
                        cases + baseline_cases,
                        trials + baseline_trials - cases - baseline_cases
                    )
                    >= {{ fewest_expected }} * (trials + baseline_trials)
            else least(expected, baseline_cases) >= {{ fewest_expected }}
        end as is_testable,
        case
            when is_rate
                then
                    least(trials, last_year_trials)
                    * least(
                        cases + last_year_cases,
                        trials + last_year_trials - cases - last_year_cases
                    )
                    >= {{ fewest_expected }} * (trials + last_year_trials)
            else last_year_value >= {{ fewest_expected }}
        end as is_testable_last_year,
        least(benchmark_rate, 1e0 - benchmark_rate) * trials >= {{ fewest_expected }}
            as is_testable_benchmark,
        z / sqrt(dispersion) as t,
        last_year_z / sqrt(dispersion) as last_year_t,
        benchmark_z / sqrt(dispersion) as benchmark_t,
    from valued_periods
),

normal_periods as (
    select
        *,
        case when is_testable then {{ student_as_normal('t', 'dispersion_periods') }} end
            as normal_z,
        case
            when is_testable_last_year
                then {{ student_as_normal('last_year_t', 'dispersion_periods') }}
        end as last_year_normal_z,
        case
            when is_testable_benchmark
                then {{ student_as_normal('benchmark_t', 'dispersion_periods') }}
        end as benchmark_normal_z,
    from judged_periods
)

select
    funnel_id,
    metric,
    stage_id,
    stage_position,
    segment_name,
    segment_value,
    period_grain,
    period_date,
    period_start_date,
    period_end_date,
    days,
    cases,
    trials,
    value,
    case when is_rate then {{ wilson_low('cases', 'trials') }} end as value_low,
    case when is_rate then {{ wilson_high('cases', 'trials') }} end as value_high,
    case when is_rate then {{ is_reportable('trials') }} end as value_is_reportable,
    baseline_periods,
    baseline_days,
    baseline_cases,
    baseline_trials,
    expected,
    case
        when expected_margin is not null then greatest(0e0, expected - expected_margin)
    end as expected_low,
    case
        when expected_margin is null then null
        when is_rate then least(1e0, expected + expected_margin)
        else expected + expected_margin
    end as expected_high,
    value - expected as difference,
    (value - expected) / nullif(expected, 0) as relative_difference,
    dispersion,
    dispersion_periods,
    {{ normal_two_sided_p('normal_z') }} as p_value,
    last_year_cases,
    last_year_trials,
    last_year_value,
    value - last_year_value as last_year_difference,
    (value - last_year_value) / nullif(last_year_value, 0) as last_year_relative_difference,
    {{ normal_two_sided_p('last_year_normal_z') }} as last_year_p_value,
    benchmark_name,
    benchmark_rate,
    value - benchmark_rate as benchmark_difference,
    (value - benchmark_rate) / nullif(benchmark_rate, 0) as benchmark_relative_difference,
    {{ normal_two_sided_p('benchmark_normal_z') }} as benchmark_p_value,
from normal_periods
