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

segments as (
    select
        funnel_id,
        segment_name,
        adds_up,
    from {{ ref('dim_segments') }}
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
        order by
            cohort_segments.funnel_id,
            cohort_segments.cohort_grain,
            cohort_segments.cohort_date nulls last,
            cohort_segments.segment_name,
            cohort_segments.segment_value
    ) as cohort_segment_id,
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    -- The segment all is declared by nobody; each journey stands in it once.
    cohort_segments.segment_name = 'all' or segments.adds_up as segment_adds_up,
    cohort_segments.journeys,
    cohort_segments.mature_journeys,
from cohort_segments
left join segments
    on
        cohort_segments.funnel_id = segments.funnel_id
        and cohort_segments.segment_name = segments.segment_name
