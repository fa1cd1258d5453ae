with

cell_cohorts as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_cell_cohorts') }}
),

followed_cells as (
    select
        cell_id,
        followed_cell_number,
    from {{ ref('int_followed_cells') }}
),

-- All cells of a number stand in the same ones.
example_cells as (
    select
        followed_cell_number,
        min(cell_id) as cell_id,
    from followed_cells
    group by all
),

followed_segments as (
    select cohort_segment_id,
    from {{ ref('int_cohort_segments') }}
    where {{ is_followed('cohort_grain', 'segment_name') }}
)

select
    example_cells.followed_cell_number,
    cell_cohorts.cohort_segment_id,
from example_cells
inner join cell_cohorts
    on example_cells.cell_id = cell_cohorts.cell_id
inner join followed_segments
    on cell_cohorts.cohort_segment_id = followed_segments.cohort_segment_id
