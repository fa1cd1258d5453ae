with

journey_visits as (
    select
        cell_id,
        funnel_id,
        journey_id,
        visit_number,
        previous_visit_number,
        stage_id,
        journey_outcome,
        is_mature,
        entered_at,
        journey_ended_at,
    from {{ ref('int_cell_visits') }}
    where journey_id is not null
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
    from {{ ref('dim_funnel_stages') }}
)

select
    from_visits.cell_id,
    from_visits.funnel_id,
    from_visits.journey_id,
    from_visits.stage_id as from_stage_id,
    to_visits.stage_id as to_stage_id,
    from_visits.journey_outcome,
    from_visits.is_mature,
    -- A win ends the journey, but a later won stage still extends it.
    coalesce(
        to_visits.entered_at > to_visits.journey_ended_at
        and not (to_visits.journey_outcome = 'won' and funnel_stages.stage_kind = 'won'),
        false
    ) as is_after_outcome,
    from_visits.entered_at as from_entered_at,
    to_visits.entered_at as to_entered_at,
from journey_visits as from_visits
inner join journey_visits as to_visits
    on
        from_visits.journey_id = to_visits.journey_id
        and from_visits.stage_id != to_visits.stage_id
        -- The first entry after: the stage's previous visit, if any, was before.
        and from_visits.visit_number > to_visits.previous_visit_number
        and from_visits.visit_number < to_visits.visit_number
inner join funnel_stages
    on to_visits.funnel_id = funnel_stages.funnel_id and to_visits.stage_id = funnel_stages.stage_id
where from_visits.previous_visit_number = 0
