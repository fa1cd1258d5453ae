with

run as (
    select as_of from {{ ref('int_run') }}
),

date_hours as (
    select
        calendar_date,
        opens_at,
        closes_at,
    from {{ ref('int_date_hours') }}
),

lengths as (
    select
        date_hours.calendar_date,
        date_hours.opens_at,
        date_hours.closes_at,
        coalesce({{ microseconds_between('date_hours.opens_at', 'date_hours.closes_at') }}, 0)
            as business_microseconds,
    from date_hours
    cross join run
    where date_hours.calendar_date <= {{ reporting_date('run.as_of') }}
)

select
    calendar_date,
    opens_at is not null as is_working_day,
    opens_at,
    closes_at,
    business_microseconds,
    cast(
        sum(business_microseconds) over (
            order by calendar_date
            rows between unbounded preceding and current row
        ) - business_microseconds as bigint
    ) as business_microseconds_before,
from lengths
