{#- As far as time zones are known, which is farther than any plausible instant. -#}
{%- set first_date = "cast('" ~ var('utc_offsets_first_date', '1970-01-01') ~ "' as date)" -%}
{%- set last_date = "cast('" ~ var('utc_offsets_last_date', '2100-01-01') ~ "' as date)" -%}

with

run as (
    select as_of from {{ ref('int_run') }}
),

working_hours as (
    select
        weekday,
        opens_at,
        closes_at,
    from {{ ref('working_hours') }}
),

calendar as (
    select
        calendar_date,
        is_working_day,
        opens_at,
        closes_at,
    from {{ ref('calendar') }}
),

utc_offsets as (
    select
        local_date,
        seconds_before,
        seconds_after,
        changes_at,
    from {{ ref('stg_time_zones__utc_offsets') }}
    where timezone = '{{ reporting_timezone() }}'
),

dates as (
    {{ dbt.date_spine('day', first_date, dbt.dateadd('day', 1, last_date)) }}
),

declared_dates as (
    select cast(dates.date_day as date) as calendar_date,
    from dates
    cross join run
    where
        cast(dates.date_day as date)
        <= {{ dbt.dateadd('day', var('calendar_days_ahead'), reporting_date('run.as_of')) }}
),

hours_of_dates as (
    select
        declared_dates.calendar_date,
        case
            when calendar.is_working_day is null then working_hours.opens_at
            when calendar.is_working_day then calendar.opens_at
        end as opens_at,
        case
            when calendar.is_working_day is null then working_hours.closes_at
            when calendar.is_working_day then calendar.closes_at
        end as closes_at,
    from declared_dates
    left join calendar on declared_dates.calendar_date = calendar.calendar_date
    left join working_hours
        on {{ iso_weekday('declared_dates.calendar_date') }} = working_hours.weekday
),

wall_clocks as (
    select
        calendar_date,
        {{ wall_clock_at('calendar_date', 'opens_at') }} as opens_at,
        {{ wall_clock_at('calendar_date', 'closes_at') }} as closes_at,
    from hours_of_dates
)

select
    wall_clocks.calendar_date,
    case
        when wall_clocks.opens_at is not null
            then {{ first_shown_at('wall_clocks.opens_at', 'utc_offsets') }}
    end as opens_at,
    case
        when wall_clocks.closes_at is not null
            then {{ first_shown_at('wall_clocks.closes_at', 'utc_offsets') }}
    end as closes_at,
from wall_clocks
left join utc_offsets on wall_clocks.calendar_date = utc_offsets.local_date
