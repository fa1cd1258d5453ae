with

run as (
    select
        {{ reporting_date('as_of') }} as as_of_date,
        {{ reporting_date('as_of - interval 1 microsecond') }} as last_known_date,
    from {{ ref('int_run') }}
),

order_dates as (
    select order_date
    from {{ ref('int_customer_orders') }}
),

month_ends as (
    select
        {{ cohort_date('month', 'calendar_dates.calendar_date') }} as month_date,
        max(calendar_dates.calendar_date) as scored_on,
    from {{ ref('int_calendar_dates') }} as calendar_dates
    cross join run
    where
        calendar_dates.calendar_date
        >= {{ cohort_date('month', '(select min(order_date) from order_dates)') }}
        and {{ dbt.dateadd('month', 1, cohort_date('month', 'calendar_dates.calendar_date')) }}
        <= run.as_of_date
    group by all
),

all_dates as (
    select
        month_date,
        scored_on,
        false as is_as_of,
    from month_ends
    union all
    select
        null as month_date,
        last_known_date as scored_on,
        true as is_as_of,
    from run
)

select
    scored_on,
    max(month_date) as month_date,
    bool_or(is_as_of) as is_as_of,
from all_dates
group by scored_on
