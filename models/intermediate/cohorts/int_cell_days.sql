with

cell_segments as (
    select
        cell_id,
        funnel_id,
        segment_name,
        segment_value,
        entered_date,
        case when entered_date is null then 'all' else 'day' end as finest_grain,
    from {{ ref('int_cell_segments') }}
),

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
    from {{ ref('int_cohort_segments') }}
)

select
    cell_segments.cell_id,
    cohort_segments.cohort_segment_id as day_cohort_segment_id,
from cell_segments
inner join cohort_segments
    on
        cell_segments.funnel_id = cohort_segments.funnel_id
        and cell_segments.segment_name = cohort_segments.segment_name
        and cell_segments.segment_value = cohort_segments.segment_value
        and cell_segments.finest_grain = cohort_segments.cohort_grain
        and cell_segments.entered_date is not distinct from cohort_segments.cohort_date
