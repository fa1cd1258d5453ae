{#- Lower end of the 95% interval of the median of a sorted list. -#}
{% macro median_low(list) -%}
    {{ median_bound(list, 'low') }}
{%- endmacro %}
