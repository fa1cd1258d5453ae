with

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        owner_id,
        team,
        furthest_stage_position,
        outcome,
        ended_date,
        amount,
    from {{ ref('int_deals') }}
),

journey_stages as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
        stage_position,
        reached_at,
        seconds_in_stage,
    from {{ ref('fct_journey_stages') }}
)

select
    deals.funnel_id,
    deals.deal_id,
    deals.journey_number,
    journey_stages.stage_id,
    journey_stages.stage_position,
    deals.furthest_stage_position,
    deals.owner_id,
    deals.team,
    deals.outcome,
    {{ reporting_date('journey_stages.reached_at') }} as reached_date,
    deals.ended_date,
    journey_stages.seconds_in_stage,
    deals.amount,
from deals
inner join journey_stages
    on
        deals.funnel_id = journey_stages.funnel_id
        and deals.deal_id = journey_stages.subject_id
        and deals.journey_number = journey_stages.journey_number
