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

visits as (
    select
        subject_key,
        visit_number,
        journey_number,
        stage_id,
        stage_position,
        stage_kind,
        evidence,
        next_stage_id,
        entered_at,
        exited_at,
        seconds_in_stage,
        business_seconds_in_stage,
        entries,
    from {{ ref('int_timed_visits') }}
),

journeys as (
    select
        journeys.subject_key,
        journeys.journey_number,
        {{ hours_after('journeys.entered_at', 'funnels.window_hours') }}
        < run.as_of as has_window_passed,
    from {{ ref('int_journey_outcomes') }} as journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    cross join run
),

subjects as (
    select
        subject_key,
        funnel_id,
        subject_id,
    from {{ ref('int_touched_subjects') }}
)

select
    subjects.funnel_id,
    subjects.subject_id,
    visits.visit_number,
    visits.journey_number,
    visits.stage_id,
    visits.stage_position,
    visits.stage_kind,
    case
        when visits.next_stage_id is not null then visits.next_stage_id
        when visits.stage_kind != 'open' then 'ended'
        when journeys.has_window_passed then 'abandoned'
        else 'still_there'
    end as next_stage_id,
    visits.evidence,
    visits.next_stage_id is null as is_current,
    visits.entered_at,
    visits.exited_at,
    visits.seconds_in_stage,
    visits.business_seconds_in_stage,
    case
        when visits.seconds_in_stage is not null
            then cast(
                sum(visits.seconds_in_stage) over (
                    partition by visits.subject_key, visits.journey_number, visits.stage_id
                    order by visits.visit_number
                    rows between unbounded preceding and current row
                ) as decimal(18, 6)
            )
    end as cumulative_seconds_in_stage,
    visits.entries,
from visits
inner join subjects
    on visits.subject_key = subjects.subject_key
left join journeys
    on
        visits.subject_key = journeys.subject_key
        and visits.journey_number = journeys.journey_number
