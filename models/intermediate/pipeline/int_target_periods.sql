{#- As far as time zones are known, as in int_calendar_dates, which ends at the as-of. -#}
{%- set first_date = "cast('" ~ var('utc_offsets_first_date', '1970-01-01') ~ "' as date)" -%}
{%- set last_date = "cast('" ~ var('utc_offsets_last_date', '2100-01-01') ~ "' as date)" -%}

with

run as (
    select {{ reporting_date('as_of') }} as as_of_date,
    from {{ ref('int_run') }}
),

declared_periods as (
    select
        period_grain,
        period_date,
    from {{ ref('funnel_plan_targets') }}

    union all

    select
        period_grain,
        period_date,
    from {{ ref('stage_targets') }}
),

working_hours as (
    select weekday,
    from {{ ref('working_hours') }}
),

calendar as (
    select
        calendar_date,
        is_working_day,
    from {{ ref('calendar') }}
),

periods as (
    select distinct
        period_grain,
        period_date,
        {{ cohort_date_after('period_grain', 'period_date') }} as next_period_date,
    from declared_periods
),

dates as (
    {{ dbt.date_spine('day', first_date, dbt.dateadd('day', 1, last_date)) }}
),

calendar_dates as (
    select
        cast(dates.date_day as date) as calendar_date,
        coalesce(calendar.is_working_day, working_hours.weekday is not null) as is_working_day,
    from dates
    left join calendar on cast(dates.date_day as date) = calendar.calendar_date
    left join working_hours
        on {{ iso_weekday('cast(dates.date_day as date)') }} = working_hours.weekday
),

period_dates as (
    select
        periods.period_grain,
        periods.period_date,
        count(*) as working_days,
        count(*) filter (where calendar_dates.calendar_date < run.as_of_date)
            as working_days_elapsed,
    from periods
    cross join run
    inner join calendar_dates
        on
            periods.period_date <= calendar_dates.calendar_date
            and periods.next_period_date > calendar_dates.calendar_date
    where calendar_dates.is_working_day
    group by all
)

select
    periods.period_grain,
    periods.period_date,
    periods.next_period_date,
    coalesce(period_dates.working_days, 0) as working_days,
    coalesce(period_dates.working_days_elapsed, 0) as working_days_elapsed,
    cast(
        greatest({{ dbt.datediff('run.as_of_date', 'periods.next_period_date', 'day') }}, 0)
        as bigint
    ) as days_left,
from periods
cross join run
left join period_dates
    on
        periods.period_grain = period_dates.period_grain
        and periods.period_date = period_dates.period_date
