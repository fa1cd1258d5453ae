with

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('funnels') }}
),

ladder_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('funnel_stages') }}
    where stage_kind != 'lost'
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        furthest_stage_position,
        entered_at,
    from {{ ref('fct_journeys') }}
),

journey_entries as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_position,
        evidence,
        entered_at,
    from {{ ref('int_journey_entries') }}
),

stage_visits as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
        count(*) as visits,
        sum(seconds_in_stage) as seconds_in_stage,
        sum(business_seconds_in_stage) as business_seconds_in_stage,
    from {{ ref('fct_stage_visits') }}
    group by all
),

reached_stages as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        ladder_stages.stage_id,
        ladder_stages.stage_position,
        journeys.entered_at as journey_entered_at,
        journey_entries.evidence,
        journey_entries.entered_at,
        min(journey_entries.entered_at) over (
            partition by journeys.funnel_id, journeys.subject_id, journeys.journey_number
            order by ladder_stages.stage_position
            rows between 1 following and unbounded following
        ) as next_entered_at,
        funnels.order_mode,
    from journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    inner join ladder_stages
        on
            journeys.funnel_id = ladder_stages.funnel_id
            and journeys.furthest_stage_position >= ladder_stages.stage_position
    left join journey_entries
        on
            journeys.funnel_id = journey_entries.funnel_id
            and journeys.subject_id = journey_entries.subject_id
            and journeys.journey_number = journey_entries.journey_number
            and ladder_stages.stage_position = journey_entries.stage_position
)

select
    reached_stages.funnel_id,
    reached_stages.subject_id,
    reached_stages.journey_number,
    reached_stages.stage_id,
    reached_stages.stage_position,
    coalesce(reached_stages.evidence, 'imputed') as evidence,
    -- A stage passed over was reached by the time that a further one was entered.
    case
        when reached_stages.evidence is not null then reached_stages.entered_at
        else coalesce(reached_stages.next_entered_at, reached_stages.journey_entered_at)
    end as reached_at,
    cast(coalesce(stage_visits.visits, 0) as integer) as visits,
    cast(stage_visits.seconds_in_stage as decimal(18, 6)) as seconds_in_stage,
    cast(stage_visits.business_seconds_in_stage as decimal(18, 6)) as business_seconds_in_stage,
from reached_stages
left join stage_visits
    on
        reached_stages.funnel_id = stage_visits.funnel_id
        and reached_stages.subject_id = stage_visits.subject_id
        and reached_stages.journey_number = stage_visits.journey_number
        and reached_stages.stage_id = stage_visits.stage_id
-- Of stages in any order, none is concluded from another.
where reached_stages.evidence is not null or reached_stages.order_mode != 'any'
