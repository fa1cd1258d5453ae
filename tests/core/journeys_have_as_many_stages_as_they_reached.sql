-- A journey that reached position k has a row for every stage up to k, those passed over imputed.
-- Of stages in any order nothing is imputed, so an optional one may be missing.
with

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        furthest_stage_position,
    from {{ ref('fct_journeys') }}
),

imputing_funnels as (
    select funnel_id from {{ ref('dim_funnels') }}
    where order_mode != 'any'
),

journey_stages as (
    select
        funnel_id,
        subject_id,
        journey_number,
        count(*) as stages,
    from {{ ref('fct_journey_stages') }}
    group by all
)

select
    journeys.funnel_id,
    journeys.subject_id,
    journeys.journey_number,
    journeys.furthest_stage_position,
    journey_stages.stages,
from journeys
inner join imputing_funnels
    on journeys.funnel_id = imputing_funnels.funnel_id
left join journey_stages
    on
        journeys.funnel_id = journey_stages.funnel_id
        and journeys.subject_id = journey_stages.subject_id
        and journeys.journey_number = journey_stages.journey_number
where journey_stages.stages is distinct from journeys.furthest_stage_position
