with

trends as (
    select
        funnel_id,
        metric,
        metric in ('step_rate', 'overall_rate') as is_rate,
        stage_id,
        stage_position,
        period_grain,
        period_date,
        period_end_date,
        days,
        cases,
        trials,
        value,
        value_low,
        value_high,
        expected,
        expected_low,
        expected_high,
        dispersion,
        dispersion_periods,
        last_year_value,
        last_year_difference,
        last_year_relative_difference,
        last_year_p_value,
        benchmark_name,
        benchmark_rate,
        benchmark_difference,
        benchmark_p_value,
    from {{ ref('funnel_trends') }}
    where segment_name = 'all' and period_grain in ('week', 'month', 'quarter')
),

explanations as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        stage_id,
        rate_name,
        explanation,
    from {{ ref('int_leading_explanations') }}
),

-- Entries are known earlier than rates; a review tells of one period.
last_periods as (
    select
        funnel_id,
        period_grain,
        max(period_date) as period_date,
    from trends
    where is_rate
    group by all
),

reviewed as (
    select
        trends.*,
        cast({{ cohort_date_before('trends.period_grain', 'trends.period_date') }} as date)
            as previous_period_date,
    from trends
    inner join last_periods
        on
            trends.funnel_id = last_periods.funnel_id
            and trends.period_grain = last_periods.period_grain
            and trends.period_date = last_periods.period_date
),

compared as (
    select
        reviewed.*,
        previous.cases as previous_cases,
        previous.trials as previous_trials,
        case
            when reviewed.is_rate then previous.value
            -- Months are of different lengths.
            else previous.value * reviewed.days / previous.days
        end as previous_value,
        case
            when reviewed.is_rate
                then {{ rate_z(
                    'reviewed.cases', 'reviewed.trials', 'previous.cases', 'previous.trials'
                ) }}
            else {{ count_z('reviewed.cases', 'reviewed.days', 'previous.cases', 'previous.days') }}
        end / sqrt(reviewed.dispersion) as t,
    from reviewed
    left join trends as previous
        on
            reviewed.funnel_id = previous.funnel_id
            and reviewed.metric = previous.metric
            and reviewed.stage_id = previous.stage_id
            and reviewed.period_grain = previous.period_grain
            and reviewed.previous_period_date = previous.period_date
),

normal as (
    select
        *,
        {{ student_as_normal('t', 'dispersion_periods') }} as normal_z,
    from compared
)

select
    normal.funnel_id,
    normal.metric,
    normal.stage_id,
    normal.stage_position,
    normal.period_grain,
    normal.period_date,
    normal.period_end_date,
    normal.previous_period_date,
    normal.cases,
    normal.trials,
    normal.value,
    normal.value_low,
    normal.value_high,
    normal.previous_cases,
    normal.previous_trials,
    normal.previous_value,
    normal.value - normal.previous_value as difference,
    case
        when normal.is_rate
            then
                {{ newcombe_bound(
                    'normal.cases', 'normal.trials', 'normal.previous_cases',
                    'normal.previous_trials', 'low'
                ) }}
    end as difference_low,
    case
        when normal.is_rate
            then
                {{ newcombe_bound(
                    'normal.cases', 'normal.trials', 'normal.previous_cases',
                    'normal.previous_trials', 'high'
                ) }}
    end as difference_high,
    (normal.value - normal.previous_value) / nullif(normal.previous_value, 0)
        as relative_difference,
    {{ normal_two_sided_p('normal.normal_z') }} as p_value,
    normal.expected,
    normal.expected_low,
    normal.expected_high,
    coalesce(
        normal.value < normal.expected_low or normal.value > normal.expected_high, false
    ) as is_unusual,
    normal.last_year_value,
    normal.last_year_difference,
    normal.last_year_relative_difference,
    normal.last_year_p_value,
    normal.benchmark_name,
    normal.benchmark_rate,
    normal.benchmark_difference,
    normal.benchmark_p_value,
    explanations.explanation,
from normal
left join explanations
    on
        normal.funnel_id = explanations.funnel_id
        and normal.period_grain = explanations.cohort_grain
        and normal.period_date = explanations.cohort_date
        and normal.stage_id = explanations.stage_id
        and normal.metric = explanations.rate_name
