{{ config(**kept_by_subject()) }}

with

tied_keys as (
    select distinct
        {{ declared_order_key('subject_key') }} as subject_key,
        subject_key as other_key,
    from {{ ref('int_reordered_events') }}
),

order_keys as (
    select
        subject_key,
        subject_key as order_key,
    from tied_keys

    union all

    select
        subject_key,
        other_key as order_key,
    from tied_keys
),

journeys as (
    select
        order_keys.subject_key,
        order_keys.order_key,
        outcomes.journey_number,
        outcomes.furthest_stage_position,
        outcomes.outcome,
        outcomes.entered_at,
        outcomes.ended_at,
    from order_keys
    inner join {{ ref('int_journey_outcomes') }} as outcomes
        on order_keys.order_key = outcomes.subject_key
),

-- A row that both orders show is there twice.
journeys_of_one_order as (
    select subject_key,
    from journeys
    group by
        subject_key,
        journey_number,
        furthest_stage_position,
        outcome,
        entered_at,
        ended_at
    having count(*) = 1
),

stages_of_one_order as (
    select journeys.subject_key,
    from journeys
    inner join {{ ref('int_journey_entries') }} as journey_entries
        on
            journeys.order_key = journey_entries.subject_key
            and journeys.journey_number = journey_entries.journey_number
            and journeys.furthest_stage_position >= journey_entries.stage_position
    group by
        journeys.subject_key,
        journeys.journey_number,
        journey_entries.stage_position,
        journey_entries.entered_at
    having count(*) = 1
),

visits_of_one_order as (
    select order_keys.subject_key,
    from order_keys
    inner join {{ ref('int_stage_visits') }} as stage_visits
        on order_keys.order_key = stage_visits.subject_key
    group by
        order_keys.subject_key,
        stage_visits.visit_number,
        stage_visits.stage_id,
        stage_visits.entered_at
    having count(*) = 1
),

subjects_with_journeys_by_tie as (
    select * from journeys_of_one_order
    union
    select * from stages_of_one_order
),

subjects_with_visits_by_tie as (
    select distinct *
    from visits_of_one_order
)

select
    subjects.funnel_id,
    subjects.subject_id,
    by_journeys.subject_key is not null as journeys_hang_on_tie,
    by_visits.subject_key is not null as visits_hang_on_tie,
from tied_keys
inner join {{ ref('int_touched_subjects') }} as subjects
    on tied_keys.subject_key = subjects.subject_key
left join subjects_with_journeys_by_tie as by_journeys
    on tied_keys.subject_key = by_journeys.subject_key
left join subjects_with_visits_by_tie as by_visits
    on tied_keys.subject_key = by_visits.subject_key
