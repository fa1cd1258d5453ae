{{ config(**kept_by_subject()) }}

with

tied_keys as (
    select distinct
        funnel_id,
        {{ declared_order_key('subject_id') }} as subject_id,
        subject_id as other_key,
    from {{ ref('int_reordered_events') }}
),

order_keys as (
    select
        funnel_id,
        subject_id,
        subject_id as order_key,
    from tied_keys

    union all

    select
        funnel_id,
        subject_id,
        other_key as order_key,
    from tied_keys
),

journeys as (
    select
        order_keys.funnel_id,
        order_keys.subject_id,
        order_keys.order_key,
        outcomes.journey_number,
        outcomes.furthest_stage_position,
        outcomes.outcome,
        outcomes.entered_at,
        outcomes.ended_at,
    from order_keys
    inner join {{ ref('int_journey_outcomes') }} as outcomes
        on
            order_keys.funnel_id = outcomes.funnel_id
            and order_keys.order_key = outcomes.subject_id
),

-- A row that both orders show is there twice.
journeys_of_one_order as (
    select
        funnel_id,
        subject_id,
    from journeys
    group by
        funnel_id,
        subject_id,
        journey_number,
        furthest_stage_position,
        outcome,
        entered_at,
        ended_at
    having count(*) = 1
),

stages_of_one_order as (
    select
        journeys.funnel_id,
        journeys.subject_id,
    from journeys
    inner join {{ ref('int_journey_entries') }} as journey_entries
        on
            journeys.funnel_id = journey_entries.funnel_id
            and journeys.order_key = journey_entries.subject_id
            and journeys.journey_number = journey_entries.journey_number
            and journeys.furthest_stage_position >= journey_entries.stage_position
    group by
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        journey_entries.stage_position,
        journey_entries.entered_at
    having count(*) = 1
),

visits_of_one_order as (
    select
        order_keys.funnel_id,
        order_keys.subject_id,
    from order_keys
    inner join {{ ref('int_stage_visits') }} as stage_visits
        on
            order_keys.funnel_id = stage_visits.funnel_id
            and order_keys.order_key = stage_visits.subject_id
    group by
        order_keys.funnel_id,
        order_keys.subject_id,
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
    tied_keys.funnel_id,
    tied_keys.subject_id,
    by_journeys.subject_id is not null as journeys_hang_on_tie,
    by_visits.subject_id is not null as visits_hang_on_tie,
from tied_keys
left join subjects_with_journeys_by_tie as by_journeys
    on
        tied_keys.funnel_id = by_journeys.funnel_id
        and tied_keys.subject_id = by_journeys.subject_id
left join subjects_with_visits_by_tie as by_visits
    on
        tied_keys.funnel_id = by_visits.funnel_id
        and tied_keys.subject_id = by_visits.subject_id
