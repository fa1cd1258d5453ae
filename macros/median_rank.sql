{#- Which of n sorted numbers, from 1, ends the 95% interval of their median: the one at rank
    round(n/2 - 1.96 · sqrt(n)/2), or round(1 + n/2 + 1.96 · sqrt(n)/2) for the upper end
    (M. J. Campbell and M. J. Gardner, Calculating confidence intervals for some non-parametric
    analyses, British Medical Journal 296 (1988)). It supposes nothing about the distribution.
    Of fewer than 6 numbers, none ends such an interval. -#}
{% macro median_rank(count, side) -%}
    {%- if side not in ['low', 'high'] -%}
        {{ exceptions.raise_compiler_error(
            "median_rank: expected side low or high, found " ~ side
        ) }}
    {%- endif -%}
    cast(
        {%- if side == 'low' %}
        round({{ count }} / 2e0 - 0.98e0 * sqrt({{ count }})) as bigint
        {%- else %}
        round(1 + {{ count }} / 2e0 + 0.98e0 * sqrt({{ count }})) as bigint
        {%- endif %}
    )
{%- endmacro %}
