{{ config(**kept_by_subject()) }}

with

ordered_events as (
    select
        subject_key,
        event_number,
        stage_id,
        stage_position,
        stage_kind,
        evidence_name,
        evidence,
        entered_at,
    from {{ ref('int_ordered_events') }}
    where stage_id is not null
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
    ordered_events.event_number,
    ordered_events.stage_id,
    ordered_events.stage_position,
    ordered_events.stage_kind,
    ordered_events.evidence_name as event_name,
    ordered_events.evidence,
    ordered_events.entered_at,
from ordered_events
inner join subjects
    on ordered_events.subject_key = subjects.subject_key
