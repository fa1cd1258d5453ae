{#- One end of the 95% interval of a median, an item of the list of `sorted_numbers`: that at
    `median_rank`. Null for fewer than 6 numbers. -#}
{% macro median_bound(list, side) -%}
    {%- set count = list_length(list) -%}
    case when {{ count }} >= 6 then {{ list_item(list, median_rank(count, side)) }} end
{%- endmacro %}
