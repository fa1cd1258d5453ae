{#- The cell of a funnel's visits that come before any journey of their subject. -#}
{% macro before_any_journey(funnel_id) -%}
    md5({{ length_prefixed(funnel_id) }} || 'before any journey')
{%- endmacro %}
