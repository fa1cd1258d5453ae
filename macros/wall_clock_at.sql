{#- What clocks show on a date at a time such as 09:30, as a timestamp without a time zone. -#}
{% macro wall_clock_at(date, time_of_day) -%}
    {{ seconds_later(
        'cast(' ~ date ~ ' as timestamp)',
        '(cast(substr(' ~ time_of_day ~ ', 1, 2) as bigint) * 3600'
        ~ ' + cast(substr(' ~ time_of_day ~ ', 4, 2) as bigint) * 60)'
    ) }}
{%- endmacro %}
