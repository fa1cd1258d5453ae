{{ config(**kept_by_subject()) }}

with

stage_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        journey_number,
        stage_id,
        stage_position,
        stage_kind,
        entered_at,
    from {{ of_touched_subjects('fct_stage_visits') }}
),

visits_with_previous as (
    select
        stage_visits.*,
        lag(stage_visits.stage_id) over by_subject as previous_stage_id,
        lag(stage_visits.stage_position) over by_subject as previous_stage_position,
        lag(stage_visits.stage_kind) over by_subject as previous_stage_kind,
        lag(stage_visits.entered_at) over by_subject as previous_entered_at,
    from stage_visits
    window by_subject as (
        partition by stage_visits.funnel_id, stage_visits.subject_id
        order by stage_visits.visit_number
    )
)

select
    funnel_id,
    subject_id,
    visit_number,
    journey_number,
    coalesce(previous_stage_id, 'entry') as from_stage_id,
    stage_id as to_stage_id,
    case
        when previous_stage_id is null then 'enter'
        when stage_kind = 'lost' then 'lose'
        when stage_kind = 'won' then 'win'
        when previous_stage_kind != 'open' then 'reopen'
        when previous_stage_id = stage_id then 'repeat'
        when stage_position = previous_stage_position + 1 then 'advance'
        when stage_position > previous_stage_position then 'skip'
        else 'regress'
    end as movement,
    entered_at as transitioned_at,
    {{ seconds_between('previous_entered_at', 'entered_at') }} as seconds_in_from_stage,
from visits_with_previous
