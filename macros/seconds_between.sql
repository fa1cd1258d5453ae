{#- Elapsed seconds between two UTC instants, exact to the microsecond. -#}
{% macro seconds_between(earlier, later) -%}
    cast(
        cast({{ microseconds_between(earlier, later) }} as decimal(24, 6)) / 1000000
        as decimal(18, 6)
    )
{%- endmacro %}
