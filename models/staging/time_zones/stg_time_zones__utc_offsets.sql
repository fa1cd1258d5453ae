{{ config(materialized='table') }}

{#- Before the first date all is refused; after the last nothing is plausible for a long while. -#}
{%- set first_date = "cast('" ~ var('utc_offsets_first_date', '1970-01-01') ~ "' as date)" -%}
{%- set last_date = "cast('" ~ var('utc_offsets_last_date', '2100-01-01') ~ "' as date)" -%}

with

sources as (
    select timezone from {{ ref('sources') }}
),

time_zones as (
    select timezone from sources
    where timezone != 'UTC'
    union
    select '{{ reporting_timezone() }}' as timezone
    where '{{ reporting_timezone() }}' != 'UTC'
),

-- Longer on both sides, as clocks that change on the day before or after concern a date too.
dates as (
    {{ dbt.date_spine(
        'day',
        dbt.dateadd('day', -2, first_date),
        dbt.dateadd('day', 4, last_date),
    ) }}
),

hours as (
    {{ dbt.generate_series(24) }}
),

minutes as (
    {{ dbt.generate_series(60) }}
),

offsets_of_dates as (
    select
        time_zones.timezone,
        cast(dates.date_day as timestamp) as date_starts_at,
        {{ utc_offset_seconds('cast(dates.date_day as timestamp)', 'time_zones.timezone') }}
            as offset_seconds,
    from time_zones
    cross join dates
),

dates_of_changes as (
    select
        timezone,
        date_starts_at,
        offset_seconds as seconds_before,
        lead(offset_seconds) over (partition by timezone order by date_starts_at)
            as seconds_after,
    from offsets_of_dates
    qualify seconds_before != seconds_after
),

-- The instant is found in two steps: the first hour to end with the new offset, then its minute.
hours_of_changes as (
    select
        dates_of_changes.timezone,
        dates_of_changes.date_starts_at,
        dates_of_changes.seconds_before,
        dates_of_changes.seconds_after,
        min({{ seconds_later(
            'dates_of_changes.date_starts_at', '(hours.generated_number - 1) * 3600'
        ) }}) as hour_starts_at,
    from dates_of_changes
    cross join hours
    where {{ utc_offset_seconds(
        seconds_later('dates_of_changes.date_starts_at', 'hours.generated_number * 3600'),
        'dates_of_changes.timezone'
    ) }} = dates_of_changes.seconds_after
    group by all
),

changes as (
    select
        hours_of_changes.timezone,
        hours_of_changes.date_starts_at,
        hours_of_changes.seconds_before,
        hours_of_changes.seconds_after,
        min({{ seconds_later(
            'hours_of_changes.hour_starts_at', 'minutes.generated_number * 60'
        ) }}) as changes_at,
    from hours_of_changes
    cross join minutes
    where {{ utc_offset_seconds(
        seconds_later('hours_of_changes.hour_starts_at', 'minutes.generated_number * 60'),
        'hours_of_changes.timezone'
    ) }} = hours_of_changes.seconds_after
    group by all
)

select
    offsets_of_dates.timezone,
    cast(offsets_of_dates.date_starts_at as date) as local_date,
    coalesce(changes.seconds_before, offsets_of_dates.offset_seconds) as seconds_before,
    coalesce(changes.seconds_after, offsets_of_dates.offset_seconds) as seconds_after,
    changes.changes_at,
from offsets_of_dates
left join changes
    on
        offsets_of_dates.timezone = changes.timezone
        and changes.changes_at >= {{ dbt.dateadd('day', -1, 'offsets_of_dates.date_starts_at') }}
        and changes.changes_at < {{ dbt.dateadd('day', 2, 'offsets_of_dates.date_starts_at') }}
where
    offsets_of_dates.date_starts_at >= {{ first_date }}
    and offsets_of_dates.date_starts_at <= {{ last_date }}
