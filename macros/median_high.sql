{#- Upper end of the 95% interval of the median of a sorted list. -#}
{% macro median_high(list) -%}
    {{ median_bound(list, 'high') }}
{%- endmacro %}
