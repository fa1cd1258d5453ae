with

cell_cohorts as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_cell_cohorts') }}
),

followed_segments as (
    select cohort_segment_id,
    from {{ ref('int_cohort_segments') }}
    where {{ is_followed('cohort_grain', 'segment_name') }}
),

cells as (
    select
        cell_cohorts.cell_id,
        {{ joined_in_order("cell_cohorts.cohort_segment_id || ' '") }} as cohort_segment_ids,
    from cell_cohorts
    inner join followed_segments
        on cell_cohorts.cohort_segment_id = followed_segments.cohort_segment_id
    group by all
)

select
    cell_id,
    dense_rank() over (order by cohort_segment_ids) as followed_cell_number,
from cells
