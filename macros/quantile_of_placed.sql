{#- Aggregate: a quantile of numbers of which each row says at which place it stands, as double: linear
    between the two numbers around it, each of which counts by how near it is. `place` counts from 1,
    the least number, `count` is how many there are. The rows of `is_place_of_quantile` are all that
    it needs. -#}
{% macro quantile_of_placed(number, place, count, share) -%}
    sum({{ number }} * greatest(1 - abs({{ place }} - {{ place_of_quantile(count, share) }}), 0))
{%- endmacro %}
