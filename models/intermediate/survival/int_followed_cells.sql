with

cell_cohorts as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_cell_cohorts') }}
),

cohort_segments as (
    select
        cohort_segment_id,
        cohort_grain,
        segment_name,
    from {{ ref('int_cohort_segments') }}
)

select
    cell_cohorts.cell_id,
    cell_cohorts.cohort_segment_id,
from cell_cohorts
inner join cohort_segments
    on cell_cohorts.cohort_segment_id = cohort_segments.cohort_segment_id
where
    cohort_segments.cohort_grain = 'all'
    or (
        cohort_segments.cohort_grain in ('year', 'quarter', 'month')
        and cohort_segments.segment_name = 'all'
    )
