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

stage_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        journey_number,
        stage_id,
        stage_position,
        stage_kind,
        evidence,
        entered_at,
        entries,
        lead(stage_id) over by_subject as next_stage_id,
        lead(entered_at) over by_subject as exited_at,
    from {{ ref('int_stage_visits') }}
    window by_subject as (
        partition by funnel_id, subject_id
        order by visit_number
    )
),

journeys as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        {{ hours_after('journeys.entered_at', 'funnels.window_hours') }}
        < run.as_of as has_window_passed,
    from {{ ref('fct_journeys') }} as journeys
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
    {{ seconds_between('stage_visits.entered_at', 'stage_visits.exited_at') }} as seconds_in_stage,
    stage_visits.entries,
from stage_visits
left join journeys
    on
        stage_visits.funnel_id = journeys.funnel_id
        and stage_visits.subject_id = journeys.subject_id
        and stage_visits.journey_number = journeys.journey_number
