with

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('dim_funnels') }}
),

ladder as (
    select
        funnels.funnel_id,
        funnels.order_mode,
        funnel_stages.stage_id,
        funnel_stages.stage_position,
        funnel_stages.is_optional,
    from {{ ref('dim_funnel_stages') }} as funnel_stages
    inner join funnels
        on funnel_stages.funnel_id = funnels.funnel_id
    where funnel_stages.stage_position is not null
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        journey_id,
        cell_id,
        entered_at,
    from {{ ref('int_journey_cells') }}
    where is_mature
),

journey_stages as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
        stage_position,
        evidence,
        reached_at,
        counted_at,
    from {{ ref('fct_journey_stages') }}
),

-- The base of a step is that of funnel_conversion.
steps as (
    select
        funnel_id,
        order_mode,
        stage_id as to_stage_id,
        stage_position as to_stage_position,
        max(case when order_mode != 'any' or not is_optional then stage_position end) over (
            partition by funnel_id
            order by stage_position
            rows between unbounded preceding and 1 preceding
        ) as from_stage_position,
    from ladder
),

reached_stages as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        journeys.journey_id,
        journeys.cell_id,
        journeys.entered_at,
        journey_stages.stage_id,
        journey_stages.stage_position,
        journey_stages.evidence,
        journey_stages.reached_at,
        journey_stages.counted_at,
        min(journey_stages.reached_at) over (
            partition by journeys.journey_id
            order by journey_stages.stage_position
            rows between 1 following and unbounded following
        ) as further_reached_at,
    from journeys
    inner join journey_stages
        on
            journeys.funnel_id = journey_stages.funnel_id
            and journeys.subject_id = journey_stages.subject_id
            and journeys.journey_number = journey_stages.journey_number
),

cases as (
    select
        reached_stages.funnel_id,
        reached_stages.subject_id,
        reached_stages.journey_number,
        reached_stages.journey_id,
        reached_stages.cell_id,
        reached_stages.stage_id as from_stage_id,
        steps.to_stage_id,
        steps.to_stage_position,
        reached_stages.evidence,
        reached_stages.entered_at,
        reached_stages.counted_at as at_stage_from,
        next_stages.journey_id is not null as has_converted,
        -- Of stages in any order, a further one leads to none before it.
        case
            when steps.order_mode = 'any' then next_stages.reached_at
            else reached_stages.further_reached_at
        end as further_reached_at,
    from reached_stages
    inner join steps
        on
            reached_stages.funnel_id = steps.funnel_id
            and reached_stages.stage_position = steps.from_stage_position
    left join reached_stages as next_stages
        on
            reached_stages.journey_id = next_stages.journey_id
            and steps.to_stage_position = next_stages.stage_position
    where reached_stages.counted_at is not null
)

select
    funnel_id,
    subject_id,
    journey_number,
    journey_id,
    cell_id,
    from_stage_id,
    to_stage_id,
    to_stage_position,
    has_converted,
    entered_at,
    at_stage_from,
from cases
-- A stage that was passed over has the instant of the further one.
where
    further_reached_at is null
    or further_reached_at > at_stage_from
    or (further_reached_at = at_stage_from and evidence != 'imputed')
