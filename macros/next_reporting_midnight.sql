{#- The first midnight in the reporting time zone after a UTC instant, as a UTC instant. -#}
{% macro next_reporting_midnight(instant) -%}
    {{ reporting_midnight(dbt.dateadd('day', 1, reporting_date(instant))) }}
{%- endmacro %}
