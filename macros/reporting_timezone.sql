{#- The time zone of calendar dates and cohorts, from the environment as every setting. -#}
{% macro reporting_timezone() -%}
    {{ env_var('FUNNEL_TIMEZONE', 'UTC') }}
{%- endmacro %}
