{#- The instant (UTC) at which a calendar date begins in the reporting time zone. -#}
{% macro reporting_midnight(date) -%}
    {{ return(adapter.dispatch('reporting_midnight')(date)) }}
{%- endmacro %}

{% macro default__reporting_midnight(date) -%}
    (cast({{ date }} as timestamp) at time zone '{{ reporting_timezone() }}') at time zone 'UTC'
{%- endmacro %}

{% macro spark__reporting_midnight(date) -%}
    to_utc_timestamp({{ date }}, '{{ reporting_timezone() }}')
{%- endmacro %}
