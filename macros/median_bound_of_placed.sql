{#- Aggregate: one end of the 95% interval of the median of numbers of which each row says at which place
    it stands, from 1: the number at `median_rank`. Null for fewer than 6 numbers. -#}
{% macro median_bound_of_placed(number, place, count, side) -%}
    min({{ number }}) filter (where {{ count }} >= 6 and {{ place }} = {{ median_rank(count, side) }})
{%- endmacro %}
