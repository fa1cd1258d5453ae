with

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
        stage_visits.subject_key,
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
    where not {{ is_other_order('stage_visits.subject_key') }}
),

neighbouring_visits as (
    select
        *,
        lag(stage_id) over by_subject as previous_stage_id,
        lag(stage_position) over by_subject as previous_stage_position,
        lag(stage_kind) over by_subject as previous_stage_kind,
        lag(entered_at) over by_subject as previous_entered_at,
        lead(stage_id) over by_subject as next_stage_id,
        lead(entered_at) over by_subject as exited_at,
        lead(business_microseconds) over by_subject - business_microseconds
            as business_microseconds_in_stage,
    from dated_visits
    window by_subject as (
        partition by subject_key
        order by visit_number
    )
)

select
    subject_key,
    visit_number,
    journey_number,
    stage_id,
    stage_position,
    stage_kind,
    evidence,
    previous_stage_id,
    previous_stage_position,
    previous_stage_kind,
    previous_entered_at,
    next_stage_id,
    entered_at,
    exited_at,
    {{ seconds_between('entered_at', 'exited_at') }} as seconds_in_stage,
    {{ decimal_seconds('business_microseconds_in_stage') }} as business_seconds_in_stage,
    entries,
from neighbouring_visits
