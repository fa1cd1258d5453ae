{{ config(**kept_by_subject()) }}

with

visits as (
    select
        subject_key,
        visit_number,
        journey_number,
        stage_id,
        stage_position,
        stage_kind,
        previous_stage_id,
        previous_stage_position,
        previous_stage_kind,
        previous_entered_at,
        entered_at,
    from {{ ref('int_timed_visits') }}
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
    coalesce(visits.previous_stage_id, 'entry') as from_stage_id,
    visits.stage_id as to_stage_id,
    case
        when visits.previous_stage_id is null then 'enter'
        when visits.stage_kind = 'lost' then 'lose'
        when visits.stage_kind = 'won' then 'win'
        when visits.previous_stage_kind != 'open' then 'reopen'
        when visits.previous_stage_id = visits.stage_id then 'repeat'
        when visits.stage_position = visits.previous_stage_position + 1 then 'advance'
        when visits.stage_position > visits.previous_stage_position then 'skip'
        else 'regress'
    end as movement,
    visits.entered_at as transitioned_at,
    {{ seconds_between('visits.previous_entered_at', 'visits.entered_at') }}
        as seconds_in_from_stage,
from visits
inner join subjects
    on visits.subject_key = subjects.subject_key
