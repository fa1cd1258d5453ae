with

journey_cells as (
    select
        funnel_id,
        subject_id,
        journey_number,
        cell_id,
        is_mature,
        entered_date,
    from {{ ref('int_journey_cells') }}
),

journey_segments as (
    select
        funnel_id,
        subject_id,
        journey_number,
        segment_name,
        segment_value,
    from {{ ref('fct_journey_segments') }}
),

counted_funnels as (
    select
        funnel_id,
        cell_before_any_journey,
    from {{ ref('int_counted_funnels') }}
),

cells as (
    select
        funnel_id,
        cell_id,
        entered_date,
        count(*) as journeys,
        count(*) filter (where is_mature) as mature_journeys,
    from journey_cells
    group by all
    union all
    select
        funnel_id,
        cell_before_any_journey as cell_id,
        cast(null as date) as entered_date,
        0 as journeys,
        0 as mature_journeys,
    from counted_funnels
),

declared_segments as (
    select distinct
        journey_cells.cell_id,
        journey_segments.segment_name,
        journey_segments.segment_value,
    from journey_cells
    inner join journey_segments
        on
            journey_cells.funnel_id = journey_segments.funnel_id
            and journey_cells.subject_id = journey_segments.subject_id
            and journey_cells.journey_number = journey_segments.journey_number
),

all_segments as (
    select
        cell_id,
        segment_name,
        segment_value,
    from declared_segments
    union all
    select
        cell_id,
        'all' as segment_name,
        'all' as segment_value,
    from cells
)

select
    cells.cell_id,
    cells.funnel_id,
    all_segments.segment_name,
    all_segments.segment_value,
    cells.entered_date,
    cells.journeys,
    cells.mature_journeys,
from cells
inner join all_segments on cells.cell_id = all_segments.cell_id
