{#- The first midnight in the reporting time zone after a UTC instant, as a UTC instant. -#}
{% macro next_reporting_midnight(instant) -%}
    {{ return(adapter.dispatch('next_reporting_midnight')(instant)) }}
{%- endmacro %}

{% macro default__next_reporting_midnight(instant) -%}
    (cast({{ reporting_date(instant) }} + interval 1 day as timestamp)
        at time zone '{{ reporting_timezone() }}') at time zone 'UTC'
{%- endmacro %}

{% macro spark__next_reporting_midnight(instant) -%}
    to_utc_timestamp(date_add({{ reporting_date(instant) }}, 1), '{{ reporting_timezone() }}')
{%- endmacro %}
