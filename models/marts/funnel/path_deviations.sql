with

journeys as (
    select
        funnel_id,
        outcome,
        is_mature,
        is_late_entry,
        has_skip,
        has_regress,
        has_repeat,
        has_reopening,
        steps_again,
        microseconds_again,
        case when outcome = 'won' then microseconds_to_outcome end as microseconds_to_win,
    from {{ ref('int_journey_paths') }}
),

deviations as (
    select 'none' as deviation
    union all
    select 'any' as deviation
    union all
    select 'late_entry' as deviation
    union all
    select 'skipped' as deviation
    union all
    select 'regressed' as deviation
    union all
    select 'repeated' as deviation
    union all
    select 'looped' as deviation
    union all
    select 'reopened' as deviation
),

judged_journeys as (
    select
        *,
        is_late_entry or has_skip or has_regress or has_repeat or has_reopening or steps_again > 0
            as deviates,
    from journeys
),

deviating_journeys as (
    select
        judged_journeys.funnel_id,
        deviations.deviation,
        judged_journeys.outcome,
        judged_journeys.is_mature,
        judged_journeys.steps_again,
        judged_journeys.microseconds_again,
        judged_journeys.microseconds_to_win,
    from judged_journeys
    cross join deviations
    where
        case deviations.deviation
            when 'none' then not judged_journeys.deviates
            when 'any' then judged_journeys.deviates
            when 'late_entry' then judged_journeys.is_late_entry
            when 'skipped' then judged_journeys.has_skip
            when 'regressed' then judged_journeys.has_regress
            when 'repeated' then judged_journeys.has_repeat
            when 'looped' then judged_journeys.steps_again > 0
            when 'reopened' then judged_journeys.has_reopening
        end
),

counted as (
    select
        funnel_id,
        deviation,
        count(*) as journeys,
        count(case when is_mature then 1 end) as mature_journeys,
        count(case when is_mature and outcome = 'won' then 1 end) as mature_won,
        sum(steps_again) as steps_again,
        sum(microseconds_again) as microseconds_again,
        {{ sorted_numbers('microseconds_to_win') }} as sorted_microseconds,
    from deviating_journeys
    group by funnel_id, deviation
),

funnel_journeys as (
    select
        funnel_id,
        count(*) as funnel_journeys,
    from journeys
    group by funnel_id
),

-- Every kind has its row, zeros included.
compared as (
    select
        funnel_journeys.funnel_id,
        deviations.deviation,
        funnel_journeys.funnel_journeys,
        coalesce(counted.journeys, 0) as journeys,
        coalesce(counted.mature_journeys, 0) as mature_journeys,
        coalesce(counted.mature_won, 0) as mature_won,
        cast(coalesce(counted.steps_again, 0) as bigint) as steps_again,
        cast(coalesce(counted.microseconds_again, 0) as bigint) as microseconds_again,
        counted.sorted_microseconds,
        coalesce(conforming.mature_journeys, 0) as conforming_mature_journeys,
        coalesce(conforming.mature_won, 0) as conforming_mature_won,
        conforming.sorted_microseconds as conforming_sorted_microseconds,
    from funnel_journeys
    cross join deviations
    left join counted
        on
            funnel_journeys.funnel_id = counted.funnel_id
            and deviations.deviation = counted.deviation
    left join counted as conforming
        on
            funnel_journeys.funnel_id = conforming.funnel_id
            and conforming.deviation = 'none'
)

select
    funnel_id,
    deviation,
    journeys,
    funnel_journeys,
    {{ rate('journeys', 'funnel_journeys') }} as share,
    {{ wilson_low('journeys', 'funnel_journeys') }} as share_low,
    {{ wilson_high('journeys', 'funnel_journeys') }} as share_high,
    {{ is_reportable('funnel_journeys') }} as share_is_reportable,
    steps_again,
    {{ seconds_of('microseconds_again') }} as seconds_again,
    mature_journeys,
    mature_won,
    {{ rate('mature_won', 'mature_journeys') }} as won_rate,
    {{ wilson_low('mature_won', 'mature_journeys') }} as won_rate_low,
    {{ wilson_high('mature_won', 'mature_journeys') }} as won_rate_high,
    {{ is_reportable('mature_journeys') }} as won_rate_is_reportable,
    conforming_mature_journeys,
    conforming_mature_won,
    {{ rate('mature_won', 'mature_journeys') }}
    - {{ rate('conforming_mature_won', 'conforming_mature_journeys') }} as won_rate_difference,
    {{ newcombe_bound(
        'mature_won', 'mature_journeys', 'conforming_mature_won', 'conforming_mature_journeys', 'low'
    ) }} as won_rate_difference_low,
    {{ newcombe_bound(
        'mature_won', 'mature_journeys', 'conforming_mature_won', 'conforming_mature_journeys', 'high'
    ) }} as won_rate_difference_high,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }} as median_seconds,
    {{ seconds_of(median_low('sorted_microseconds')) }} as median_seconds_low,
    {{ seconds_of(median_high('sorted_microseconds')) }} as median_seconds_high,
    {{ is_reportable(list_length('sorted_microseconds')) }} as median_is_reportable,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }}
    - {{ seconds_of(quantile_of_sorted('conforming_sorted_microseconds', 0.5)) }}
        as median_seconds_difference,
from compared
