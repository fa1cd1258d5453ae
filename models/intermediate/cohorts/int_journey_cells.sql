with

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        furthest_stage_id,
        furthest_stage_position,
        outcome,
        loss_reason,
        is_mature,
        entered_date,
        entered_at,
        ended_at,
        amount,
    from {{ ref('fct_journeys') }}
),

journey_segments as (
    select
        funnel_id,
        subject_id,
        journey_number,
        {{
            joined_in_order(
                length_prefixed('segment_name') ~ ' || ' ~ length_prefixed('segment_value')
            )
        }} as segment_values,
    from {{ ref('fct_journey_segments') }}
    group by all
)

select
    journeys.funnel_id,
    journeys.subject_id,
    journeys.journey_number,
    md5(
        {{ length_prefixed('journeys.funnel_id') }}
        || coalesce(cast(journeys.entered_date as string), 'undated')
        || coalesce(journey_segments.segment_values, '')
    ) as cell_id,
    journeys.furthest_stage_id,
    journeys.furthest_stage_position,
    journeys.outcome,
    journeys.loss_reason,
    journeys.is_mature,
    journeys.entered_date,
    journeys.entered_at,
    journeys.ended_at,
    journeys.amount,
from journeys
left join journey_segments
    on
        journeys.funnel_id = journey_segments.funnel_id
        and journeys.subject_id = journey_segments.subject_id
        and journeys.journey_number = journey_segments.journey_number
