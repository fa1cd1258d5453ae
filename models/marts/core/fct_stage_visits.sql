{{ config(**kept_by_subject()) }}

with

run as (
    select as_of from {{ ref('int_run') }}
),

funnels as (
    select
        funnel_id,
        window_hours,
    from {{ ref('funnels') }}
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

dated_visits as (
    select
        stage_visits.funnel_id,
        stage_visits.subject_id,
        stage_visits.visit_number,
        stage_visits.journey_number,
        stage_visits.stage_id,
        stage_visits.stage_position,
        stage_visits.stage_kind,
        stage_visits.evidence,
        stage_visits.entered_at,
        {{ business_microseconds('stage_visits.entered_at', 'calendar_dates') }}
            as business_microseconds,
        stage_visits.entries,
    from {{ ref('int_stage_visits') }} as stage_visits
    left join calendar_dates
        on {{ reporting_date('stage_visits.entered_at') }} = calendar_dates.calendar_date
    where not {{ is_other_order('stage_visits.subject_id') }}
),

left_visits as (
    select
        *,
        lead(stage_id) over by_subject as next_stage_id,
        lead(entered_at) over by_subject as exited_at,
        lead(business_microseconds) over by_subject - business_microseconds
            as business_microseconds_in_stage,
    from dated_visits
    window by_subject as (
        partition by funnel_id, subject_id
        order by visit_number
    )
),

stage_visits as (
    select
        *,
        {{ seconds_between('entered_at', 'exited_at') }} as seconds_in_stage,
    from left_visits
),

journeys as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        {{ hours_after('journeys.entered_at', 'funnels.window_hours') }}
        < run.as_of as has_window_passed,
    from {{ ref('int_journey_outcomes') }} as journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    cross join run
)

select
    stage_visits.funnel_id,
    stage_visits.subject_id,
    stage_visits.visit_number,
    stage_visits.journey_number,
    stage_visits.stage_id,
    stage_visits.stage_position,
    stage_visits.stage_kind,
    case
        when stage_visits.next_stage_id is not null then stage_visits.next_stage_id
        when stage_visits.stage_kind != 'open' then 'ended'
        when journeys.has_window_passed then 'abandoned'
        else 'still_there'
    end as next_stage_id,
    stage_visits.evidence,
    stage_visits.next_stage_id is null as is_current,
    stage_visits.entered_at,
    stage_visits.exited_at,
    stage_visits.seconds_in_stage,
    {{ decimal_seconds('stage_visits.business_microseconds_in_stage') }}
        as business_seconds_in_stage,
    case
        when stage_visits.seconds_in_stage is not null
            then cast(
                sum(stage_visits.seconds_in_stage) over (
                    partition by
                        stage_visits.funnel_id,
                        stage_visits.subject_id,
                        stage_visits.journey_number,
                        stage_visits.stage_id
                    order by stage_visits.visit_number
                    rows between unbounded preceding and current row
                ) as decimal(18, 6)
            )
    end as cumulative_seconds_in_stage,
    stage_visits.entries,
from stage_visits
left join journeys
    on
        stage_visits.funnel_id = journeys.funnel_id
        and stage_visits.subject_id = journeys.subject_id
        and stage_visits.journey_number = journeys.journey_number
