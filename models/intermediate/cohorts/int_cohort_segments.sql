with

cell_segments as (
    select
        funnel_id,
        segment_name,
        segment_value,
        entered_date,
        journeys,
        mature_journeys,
    from {{ ref('int_cell_segments') }}
),

cohort_dates as (
    select
        entered_date,
        cohort_grain,
        cohort_date,
    from {{ ref('int_cohort_dates') }}
),

cohort_segments as (
    select
        cell_segments.funnel_id,
        cohort_dates.cohort_grain,
        cohort_dates.cohort_date,
        cell_segments.segment_name,
        cell_segments.segment_value,
        cast(sum(cell_segments.journeys) as bigint) as journeys,
        cast(sum(cell_segments.mature_journeys) as bigint) as mature_journeys,
    from cell_segments
    inner join cohort_dates
        on cell_segments.entered_date is not distinct from cohort_dates.entered_date
    group by all
)

select
    row_number() over (
        order by funnel_id, cohort_grain, cohort_date nulls last, segment_name, segment_value
    ) as cohort_segment_id,
    funnel_id,
    cohort_grain,
    cohort_date,
    segment_name,
    segment_value,
    journeys,
    mature_journeys,
from cohort_segments
