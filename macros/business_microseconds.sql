{#- Business time from the first calendar date to a UTC instant, as whole microseconds; the business
    time between two instants is a difference of it. `calendar_date` is the row of
    `int_calendar_dates` whose date is the instant's reporting date; null where the instant is. -#}
{% macro business_microseconds(instant, calendar_date) -%}
    {%- set since_opening = microseconds_between(calendar_date ~ '.opens_at', instant) -%}
    (
        {{ calendar_date }}.business_microseconds_before
        + case
            when {{ calendar_date }}.is_working_day
                then least(greatest({{ since_opening }}, 0), {{ calendar_date }}.business_microseconds)
            else 0
        end
    )
{%- endmacro %}
