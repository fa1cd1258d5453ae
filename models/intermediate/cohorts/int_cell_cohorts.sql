with

cell_days as (
    select
        cell_id,
        day_cohort_segment_id,
    from {{ ref('int_cell_days') }}
),

day_cohorts as (
    select
        day_cohort_segment_id,
        cohort_segment_id,
    from {{ ref('int_day_cohorts') }}
)

select
    cell_days.cell_id,
    day_cohorts.cohort_segment_id,
from cell_days
inner join day_cohorts
    on cell_days.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
