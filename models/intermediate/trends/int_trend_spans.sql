with

day_cohorts as (
    select
        funnel_id,
        cohort_date,
        journeys,
        mature_journeys,
    from {{ ref('int_cohort_segments') }}
    where cohort_grain = 'day' and segment_name = 'all'
),

run as (
    -- The day of the as-of is not over yet, if it is not just beginning.
    select cast({{ reporting_date('as_of') }} - interval 1 day as date) as last_date,
    from {{ ref('int_run') }}
),

spans as (
    select
        funnel_id,
        min(cohort_date) as first_date,
        cast(min(cohort_date) filter (where mature_journeys < journeys) - interval 1 day as date)
            as before_immature_date,
    from day_cohorts
    group by all
)

select
    spans.funnel_id,
    spans.first_date,
    run.last_date,
    least(run.last_date, coalesce(spans.before_immature_date, run.last_date)) as mature_date,
from spans
cross join run
where spans.first_date <= run.last_date
