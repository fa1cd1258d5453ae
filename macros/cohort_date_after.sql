{#- First day of the period right after, of the grain that stands in a column; null for the grain
    `all`, which has only one period. -#}
{% macro cohort_date_after(cohort_grain, cohort_date) -%}
    case {{ cohort_grain }}
        {%- for grain in cohort_grains() if grain != 'all' %}
        when '{{ grain }}' then cast({{ dbt.dateadd(grain, 1, cohort_date) }} as date)
        {%- endfor %}
    end
{%- endmacro %}
