{#- Elapsed seconds between two UTC instants, exact to the microsecond. -#}
{% macro seconds_between(earlier, later) -%}
    {{ decimal_seconds(microseconds_between(earlier, later)) }}
{%- endmacro %}
