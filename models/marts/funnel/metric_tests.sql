with

watched_metrics as (
    select
        funnel_id,
        metric,
        stage_id,
        segment_name,
        period_grain,
        compared_with,
        direction,
        change,
        unit,
        min_cases,
    from {{ ref('watched_metrics') }}
),

trends as (
    select
        *,
        max(period_date) over (partition by funnel_id, metric, period_grain) as last_period_date,
    from {{ ref('funnel_trends') }}
),

last_trends as (
    select *
    from trends
    where period_date = last_period_date
),

watched_trends as (
    select
        watched_metrics.compared_with,
        watched_metrics.direction,
        watched_metrics.change,
        watched_metrics.unit,
        watched_metrics.min_cases,
        last_trends.funnel_id,
        last_trends.metric,
        last_trends.stage_id,
        last_trends.stage_position,
        last_trends.segment_name,
        last_trends.segment_value,
        last_trends.period_grain,
        last_trends.period_date,
        last_trends.period_start_date,
        last_trends.period_end_date,
        last_trends.cases,
        last_trends.trials,
        last_trends.value as observed,
        case watched_metrics.compared_with
            when 'baseline' then last_trends.expected
            when 'last_year' then last_trends.last_year_value
            else last_trends.benchmark_rate
        end as expected,
        case watched_metrics.compared_with
            when 'baseline' then last_trends.p_value
            when 'last_year' then last_trends.last_year_p_value
            else last_trends.benchmark_p_value
        end as p_value_if_enough,
        -- A row that names the stage goes before one for every stage.
        row_number() over (
            partition by
                last_trends.funnel_id,
                last_trends.metric,
                last_trends.stage_id,
                last_trends.segment_name,
                last_trends.segment_value,
                last_trends.period_grain,
                watched_metrics.compared_with
            order by watched_metrics.stage_id nulls last
        ) as declaration_rank,
    from watched_metrics
    inner join last_trends
        on
            watched_metrics.funnel_id = last_trends.funnel_id
            and watched_metrics.metric = last_trends.metric
            and watched_metrics.segment_name = last_trends.segment_name
            and watched_metrics.period_grain = last_trends.period_grain
            and coalesce(watched_metrics.stage_id, last_trends.stage_id) = last_trends.stage_id
),

tests as (
    select
        *,
        observed - expected as difference,
        case unit
            when 'points' then 100 * (observed - expected)
            else 100 * (observed - expected) / nullif(expected, 0)
        end as size,
        -- Where one direction is watched, the other one is no news, however far it goes.
        case
            when coalesce(trials, expected) < min_cases then null
            when direction = 'both' then p_value_if_enough
            when (direction = 'fall') = (observed < expected) then p_value_if_enough / 2
            else 1e0 - p_value_if_enough / 2
        end as p_value,
    from watched_trends
    where declaration_rank = 1
),

ranked_tests as (
    select
        *,
        count(p_value) over () as tests,
        {{ counted_p_value('p_value') }} as p_value_times,
    from tests
),

judged_tests as (
    select
        *,
        {{ q_value('p_value', 'p_value_times') }} as q_value,
        coalesce(
            -- A fall from 0.50 to 0.35 is one by 30 percent, whatever a double makes of it.
            round(
                case direction
                    when 'fall' then -size
                    when 'rise' then size
                    else abs(size)
                end,
                9
            ) >= change,
            false
        ) as is_large,
    from ranked_tests
)

select
    funnel_id,
    metric,
    stage_id,
    stage_position,
    segment_name,
    segment_value,
    period_grain,
    compared_with,
    direction,
    change,
    unit,
    min_cases,
    is_large,
    coalesce(is_large and q_value <= 0.05, false) as is_alert,
    period_date,
    period_start_date,
    period_end_date,
    cases,
    trials,
    observed,
    expected,
    difference,
    size,
    p_value,
    tests,
    q_value,
from judged_tests
