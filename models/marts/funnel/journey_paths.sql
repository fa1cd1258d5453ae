with

journeys as (
    select
        funnel_id,
        outcome,
        path,
        is_mature,
        entered_date,
        steps,
        steps_again,
        microseconds_to_outcome,
    from {{ ref('int_journey_paths') }}
),

paths as (
    select
        funnel_id,
        path,
        count(*) as journeys,
    from journeys
    group by funnel_id, path
),

frequent_paths as (
    select
        funnel_id,
        path,
        row_number() over (
            partition by funnel_id
            order by journeys desc, path asc
        ) as path_rank,
    from paths
    qualify path_rank <= {{ var('paths_of_a_funnel') }}
),

cohort_grains as (
    select 'all' as cohort_grain
    union all
    select 'month' as cohort_grain
),

cohort_journeys as (
    select
        journeys.funnel_id,
        cohort_grains.cohort_grain,
        case
            when cohort_grains.cohort_grain = 'month'
                then {{ cohort_date('month', 'journeys.entered_date') }}
        end as cohort_date,
        coalesce(frequent_paths.path, '(other paths)') as path,
        frequent_paths.path_rank,
        journeys.outcome,
        journeys.is_mature,
        case when frequent_paths.path is not null then journeys.steps end as steps,
        case when frequent_paths.path is not null then journeys.steps_again end as steps_again,
        case when journeys.outcome = 'won' then journeys.microseconds_to_outcome end
            as microseconds_to_win,
    from journeys
    left join frequent_paths
        on
            journeys.funnel_id = frequent_paths.funnel_id
            and journeys.path = frequent_paths.path
    cross join cohort_grains
    where cohort_grains.cohort_grain = 'all' or journeys.entered_date is not null
),

counted as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        path,
        path_rank,
        steps,
        steps_again,
        count(*) as journeys,
        count(case when outcome = 'won' then 1 end) as won,
        count(case when is_mature then 1 end) as mature_journeys,
        count(case when is_mature and outcome = 'won' then 1 end) as mature_won,
        {{ sorted_numbers('microseconds_to_win') }} as sorted_microseconds,
    from cohort_journeys
    group by all
),

totalled as (
    select
        *,
        cast(
            sum(journeys) over (partition by funnel_id, cohort_grain, cohort_date) as bigint
        ) as cohort_journeys,
    from counted
)

select
    funnel_id,
    cohort_grain,
    cohort_date,
    path,
    path_rank,
    steps,
    steps_again,
    journeys,
    cohort_journeys,
    {{ rate('journeys', 'cohort_journeys') }} as share,
    {{ wilson_low('journeys', 'cohort_journeys') }} as share_low,
    {{ wilson_high('journeys', 'cohort_journeys') }} as share_high,
    {{ is_reportable('cohort_journeys') }} as share_is_reportable,
    won,
    mature_journeys,
    mature_won,
    {{ rate('mature_won', 'mature_journeys') }} as won_rate,
    {{ wilson_low('mature_won', 'mature_journeys') }} as won_rate_low,
    {{ wilson_high('mature_won', 'mature_journeys') }} as won_rate_high,
    {{ is_reportable('mature_journeys') }} as won_rate_is_reportable,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }} as median_seconds,
    {{ seconds_of(median_low('sorted_microseconds')) }} as median_seconds_low,
    {{ seconds_of(median_high('sorted_microseconds')) }} as median_seconds_high,
    {{ is_reportable(list_length('sorted_microseconds')) }} as median_is_reportable,
from totalled
