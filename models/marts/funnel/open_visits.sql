with

run as (
    select as_of from {{ ref('int_run') }}
),

calendar_dates as (
    select
        calendar_date,
        is_working_day,
        opens_at,
        business_microseconds,
        business_microseconds_before,
    from {{ ref('int_calendar_dates') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        cast(target_hours * 3600 as decimal(18, 6)) as target_seconds,
    from {{ ref('dim_funnel_stages') }}
),

stage_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        journey_number,
        stage_id,
        stage_position,
        next_stage_id,
        entered_at,
        seconds_in_stage,
    from {{ ref('fct_stage_visits') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
        amount,
    from {{ ref('fct_journeys') }}
),

as_of_business as (
    select
        run.as_of,
        {{ business_microseconds('run.as_of', 'calendar_dates') }} as business_microseconds,
    from run
    inner join calendar_dates
        on {{ reporting_date('run.as_of') }} = calendar_dates.calendar_date
),

open_visits as (
    select
        stage_visits.funnel_id,
        stage_visits.subject_id,
        stage_visits.visit_number,
        stage_visits.journey_number,
        stage_visits.stage_id,
        stage_visits.stage_position,
        stage_visits.entered_at,
        {{ microseconds_between('stage_visits.entered_at', 'as_of_business.as_of') }}
            as microseconds,
        as_of_business.business_microseconds
        - {{ business_microseconds('stage_visits.entered_at', 'calendar_dates') }}
            as business_microseconds,
    from stage_visits
    cross join as_of_business
    inner join calendar_dates
        on {{ reporting_date('stage_visits.entered_at') }} = calendar_dates.calendar_date
    where stage_visits.next_stage_id = 'still_there'
),

-- Each age once: how many had left by then is counted along the sorted durations of the stage.
ages as (
    select distinct
        funnel_id,
        stage_id,
        microseconds,
    from open_visits
),

open_stages as (
    select distinct
        funnel_id,
        stage_id,
    from ages
),

completed_visits as (
    select
        stage_visits.funnel_id,
        stage_visits.stage_id,
        {{ microseconds_of('stage_visits.seconds_in_stage') }} as microseconds,
    from stage_visits
    inner join open_stages
        on
            stage_visits.funnel_id = open_stages.funnel_id
            and stage_visits.stage_id = open_stages.stage_id
    where stage_visits.seconds_in_stage is not null
),

sorted_visits as (
    select
        funnel_id,
        stage_id,
        count(*) as completed_visits,
        {{ sorted_numbers('microseconds') }} as microseconds,
    from completed_visits
    group by all
),

histories as (
    select
        funnel_id,
        stage_id,
        completed_visits,
        {{ quantile_of_sorted('microseconds', 0.5) }} as p50_microseconds,
        {{ median_low('microseconds') }} as p50_microseconds_low,
        {{ median_high('microseconds') }} as p50_microseconds_high,
        {{ quantile_of_sorted('microseconds', 0.9) }} as p90_microseconds,
    from sorted_visits
),

durations as (
    select
        funnel_id,
        stage_id,
        microseconds,
        count(*) as completed_visits,
    from completed_visits
    group by all
    union all
    select
        funnel_id,
        stage_id,
        microseconds,
        0 as completed_visits,
    from ages
),

left_by_duration as (
    select
        funnel_id,
        stage_id,
        microseconds,
        sum(sum(completed_visits)) over (
            partition by funnel_id, stage_id
            order by microseconds
            rows between unbounded preceding and current row
        ) as left_visits,
    from durations
    group by funnel_id, stage_id, microseconds
),

compared_visits as (
    select
        open_visits.funnel_id,
        open_visits.subject_id,
        open_visits.visit_number,
        open_visits.journey_number,
        open_visits.stage_id,
        open_visits.stage_position,
        open_visits.entered_at,
        {{ decimal_seconds('open_visits.microseconds') }} as age_seconds,
        {{ decimal_seconds('open_visits.business_microseconds') }} as business_age_seconds,
        coalesce(histories.completed_visits, 0) as completed_visits,
        cast(left_by_duration.left_visits as bigint) as left_by_age,
        {{ seconds_of('histories.p50_microseconds') }} as p50_seconds,
        {{ seconds_of('histories.p50_microseconds_low') }} as p50_seconds_low,
        {{ seconds_of('histories.p50_microseconds_high') }} as p50_seconds_high,
        {{ seconds_of('histories.p90_microseconds') }} as p90_seconds,
        funnel_stages.target_seconds,
        {{ decimal_seconds('open_visits.microseconds') }} > funnel_stages.target_seconds
            as is_beyond_target,
        open_visits.microseconds > histories.p90_microseconds as is_beyond_p90,
        journeys.outcome,
        journeys.amount,
    from open_visits
    inner join funnel_stages
        on
            open_visits.funnel_id = funnel_stages.funnel_id
            and open_visits.stage_id = funnel_stages.stage_id
    inner join left_by_duration
        on
            open_visits.funnel_id = left_by_duration.funnel_id
            and open_visits.stage_id = left_by_duration.stage_id
            and open_visits.microseconds = left_by_duration.microseconds
    left join histories
        on
            open_visits.funnel_id = histories.funnel_id
            and open_visits.stage_id = histories.stage_id
    left join journeys
        on
            open_visits.funnel_id = journeys.funnel_id
            and open_visits.subject_id = journeys.subject_id
            and open_visits.journey_number = journeys.journey_number
)

select
    funnel_id,
    subject_id,
    visit_number,
    journey_number,
    stage_id,
    stage_position,
    outcome,
    entered_at,
    age_seconds,
    business_age_seconds,
    completed_visits,
    left_by_age,
    {{ rate('left_by_age', 'completed_visits') }} as share_left_by_age,
    {{ wilson_low('left_by_age', 'completed_visits') }} as share_left_by_age_low,
    {{ wilson_high('left_by_age', 'completed_visits') }} as share_left_by_age_high,
    {{ is_reportable('completed_visits') }} as share_left_by_age_is_reportable,
    p50_seconds,
    p50_seconds_low,
    p50_seconds_high,
    p90_seconds,
    target_seconds,
    is_beyond_target,
    is_beyond_p90,
    coalesce(is_beyond_target, false) or coalesce(is_beyond_p90, false) as is_stalled,
    case
        when is_beyond_target and is_beyond_p90 then 'both'
        when is_beyond_target then 'target'
        when is_beyond_p90 then 'history'
    end as stalled_by,
    amount,
from compared_visits
