{#- Whether a number at a place, counted from 1, is one of the two that a quantile lies between, or the
    one that it is. -#}
{% macro is_place_of_quantile(place, count, share) -%}
    abs({{ place }} - {{ place_of_quantile(count, share) }}) < 1
{%- endmacro %}
