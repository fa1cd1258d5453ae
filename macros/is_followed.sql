{#- Condition: curves are worked out for a cohort and segment of this grain and segment name. -#}
{% macro is_followed(cohort_grain, segment_name) -%}
    (
        {{ cohort_grain }} = 'all'
        or ({{ cohort_grain }} in ('year', 'quarter', 'month') and {{ segment_name }} = 'all')
    )
{%- endmacro %}
