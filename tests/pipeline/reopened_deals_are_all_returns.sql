-- Who left a lost stage for one of another kind is reopened in `returns`, and nobody else.
with

lost_stages as (
    select
        funnel_id,
        stage_id,
    from {{ ref('dim_funnel_stages') }}
    where stage_kind = 'lost'
),

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
    from {{ ref('int_deals') }}
),

reopenings as (
    select
        transitions.funnel_id,
        transitions.subject_id as deal_id,
        transitions.transitioned_at as returned_at,
        transitions.visit_number,
    from {{ ref('fct_stage_transitions') }} as transitions
    inner join deals
        on
            transitions.funnel_id = deals.funnel_id
            and transitions.subject_id = deals.deal_id
            and transitions.journey_number = deals.journey_number
    inner join lost_stages
        on
            transitions.funnel_id = lost_stages.funnel_id
            and transitions.from_stage_id = lost_stages.stage_id
    inner join {{ ref('fct_stage_transitions') }} as lost_transitions
        on
            transitions.funnel_id = lost_transitions.funnel_id
            and transitions.subject_id = lost_transitions.subject_id
            and transitions.visit_number = lost_transitions.visit_number + 1
            -- What was lost before its first journey is no loss of a deal's.
            and lost_transitions.journey_number > 0
    where transitions.movement in ('reopen', 'win')
),

reopened_deals as (
    select
        funnel_id,
        returned_deal_id as deal_id,
        returned_at,
        lost_visit_number,
    from {{ ref('returns') }}
    where kind = 'reopened'
)

select
    coalesce(reopenings.funnel_id, reopened_deals.funnel_id) as funnel_id,
    coalesce(reopenings.deal_id, reopened_deals.deal_id) as deal_id,
    reopenings.visit_number,
    reopened_deals.lost_visit_number,
from reopenings
full outer join reopened_deals
    on
        reopenings.funnel_id = reopened_deals.funnel_id
        and reopenings.deal_id = reopened_deals.deal_id
        and reopenings.returned_at is not distinct from reopened_deals.returned_at
where reopenings.deal_id is null or reopened_deals.deal_id is null
