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
),

keyed_journeys as (
    select
        journeys.*,
        {{ length_prefixed('journeys.funnel_id') }}
        || coalesce(cast(journeys.entered_date as string), 'undated')
        || coalesce(journey_segments.segment_values, '') as cell_key,
    from journeys
    left join journey_segments
        on
            journeys.funnel_id = journey_segments.funnel_id
            and journeys.subject_id = journey_segments.subject_id
            and journeys.journey_number = journey_segments.journey_number
),

-- Numbers are joined and grouped by several times as fast as texts.
cells as (
    select
        cell_key,
        cast(row_number() over (order by cell_key) as integer) as cell_id,
    from keyed_journeys
    group by cell_key
)

select
    keyed_journeys.funnel_id,
    keyed_journeys.subject_id,
    keyed_journeys.journey_number,
    row_number() over () as journey_id,
    cells.cell_id,
    keyed_journeys.furthest_stage_id,
    keyed_journeys.furthest_stage_position,
    keyed_journeys.outcome,
    keyed_journeys.loss_reason,
    keyed_journeys.is_mature,
    keyed_journeys.entered_date,
    keyed_journeys.entered_at,
    keyed_journeys.ended_at,
    keyed_journeys.amount,
from keyed_journeys
inner join cells
    on keyed_journeys.cell_key = cells.cell_key
