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

-- Texts of all segment values of all journeys would have to fit into memory to be grouped by.
journey_segments as (
    select
        funnel_id,
        subject_id,
        journey_number,
        {{ summed_hashes(narrow_hash(['segment_name', 'segment_value'])) }} as segments_hash,
    from {{ ref('fct_journey_segments') }}
    group by all
),

hashed_journeys as (
    select
        journeys.*,
        coalesce(journey_segments.segments_hash, 0) as segments_hash,
    from journeys
    left join journey_segments
        on
            journeys.funnel_id = journey_segments.funnel_id
            and journeys.subject_id = journey_segments.subject_id
            and journeys.journey_number = journey_segments.journey_number
),

cells as (
    select
        funnel_id,
        entered_date,
        segments_hash,
        cast(row_number() over (order by funnel_id, entered_date, segments_hash) as integer)
            as cell_id,
    from hashed_journeys
    group by funnel_id, entered_date, segments_hash
)

select
    hashed_journeys.funnel_id,
    hashed_journeys.subject_id,
    hashed_journeys.journey_number,
    row_number() over () as journey_id,
    cells.cell_id,
    hashed_journeys.furthest_stage_id,
    hashed_journeys.furthest_stage_position,
    hashed_journeys.outcome,
    hashed_journeys.loss_reason,
    hashed_journeys.is_mature,
    hashed_journeys.entered_date,
    hashed_journeys.entered_at,
    hashed_journeys.ended_at,
    hashed_journeys.amount,
from hashed_journeys
inner join cells
    on
        hashed_journeys.funnel_id = cells.funnel_id
        and hashed_journeys.entered_date is not distinct from cells.entered_date
        and hashed_journeys.segments_hash = cells.segments_hash
