{#- The calendar date of a UTC instant in the reporting time zone. -#}
{% macro reporting_date(instant) -%}
    {{ return(adapter.dispatch('reporting_date')(instant)) }}
{%- endmacro %}

{% macro default__reporting_date(instant) -%}
    cast((({{ instant }}) at time zone 'UTC') at time zone '{{ reporting_timezone() }}' as date)
{%- endmacro %}

{% macro spark__reporting_date(instant) -%}
    cast(from_utc_timestamp({{ instant }}, '{{ reporting_timezone() }}') as date)
{%- endmacro %}
