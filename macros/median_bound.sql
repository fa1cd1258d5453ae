{#- One end of the 95% interval of a median, an item of the list of `sorted_numbers`: the number at
    rank round(n/2 - 1.96 · sqrt(n)/2), or round(1 + n/2 + 1.96 · sqrt(n)/2) for the upper end
    (M. J. Campbell and M. J. Gardner, Calculating confidence intervals for some non-parametric
    analyses, British Medical Journal 296 (1988)). It supposes nothing about the distribution.
    Null where the lower rank would be below 1: of fewer than 6 numbers, none ends such an
    interval. -#}
{% macro median_bound(list, side) -%}
    {%- if side not in ['low', 'high'] -%}
        {{ exceptions.raise_compiler_error(
            "median_bound: expected side low or high, found " ~ side
        ) }}
    {%- endif -%}
    {%- set count = list_length(list) -%}
    {%- set rank -%}
        cast(
            {%- if side == 'low' %}
            round({{ count }} / 2e0 - 0.98e0 * sqrt({{ count }})) as bigint
            {%- else %}
            round(1 + {{ count }} / 2e0 + 0.98e0 * sqrt({{ count }})) as bigint
            {%- endif %}
        )
    {%- endset -%}
    case when {{ count }} >= 6 then {{ list_item(list, rank) }} end
{%- endmacro %}
