{#- Whether a row of `dim_funnels` is a funnel that the tables on sales are about: deals, which stand in one
    stage at a time. -#}
{% macro is_of_deals() -%}
    subject_type = 'opportunity' and order_mode = 'furthest'
{%- endmacro %}
