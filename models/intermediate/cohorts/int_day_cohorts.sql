with

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
    from {{ ref('int_cohort_segments') }}
),

cohort_dates as (
    select
        entered_date,
        cohort_grain,
        cohort_date,
    from {{ ref('int_cohort_dates') }}
),

day_cohorts as (
    select
        cohort_segment_id as day_cohort_segment_id,
        funnel_id,
        cohort_date as entered_date,
        segment_name,
        segment_value,
    from cohort_segments
    where cohort_grain = 'day'
),

cohorts_of_days as (
    select
        day_cohorts.day_cohort_segment_id,
        cohort_segments.cohort_segment_id,
    from day_cohorts
    inner join cohort_dates
        on day_cohorts.entered_date = cohort_dates.entered_date
    inner join cohort_segments
        on
            day_cohorts.funnel_id = cohort_segments.funnel_id
            and day_cohorts.segment_name = cohort_segments.segment_name
            and day_cohorts.segment_value = cohort_segments.segment_value
            and cohort_dates.cohort_grain = cohort_segments.cohort_grain
            and cohort_dates.cohort_date is not distinct from cohort_segments.cohort_date
)

select
    day_cohort_segment_id,
    cohort_segment_id,
from cohorts_of_days

union all

-- Without a date in no other one.
select
    cohort_segment_id as day_cohort_segment_id,
    cohort_segment_id,
from cohort_segments
where cohort_grain = 'all'
