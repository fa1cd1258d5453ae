-- Periods reach beyond the as-of, where the calendar of facts ends. What has elapsed is the same in both.
with

run as (
    select {{ reporting_date('as_of') }} as as_of_date,
    from {{ ref('int_run') }}
),

working_dates as (
    select calendar_date,
    from {{ ref('int_calendar_dates') }}
    cross join run
    where is_working_day and calendar_date < run.as_of_date
),

periods as (
    select
        period_grain,
        period_date,
        next_period_date,
        working_days_elapsed,
    from {{ ref('int_target_periods') }}
)

select
    periods.period_grain,
    periods.period_date,
    periods.working_days_elapsed,
    count(working_dates.calendar_date) as expected_days_elapsed,
from periods
left join working_dates
    on
        periods.period_date <= working_dates.calendar_date
        and periods.next_period_date > working_dates.calendar_date
group by all
having periods.working_days_elapsed != count(working_dates.calendar_date)
