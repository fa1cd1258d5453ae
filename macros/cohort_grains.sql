{#- The periods by which journeys are put into cohorts, from coarse to fine. `all` holds every
    journey, undated ones too. -#}
{% macro cohort_grains() -%}
    {{ return(['all', 'year', 'quarter', 'month', 'week', 'day']) }}
{%- endmacro %}
