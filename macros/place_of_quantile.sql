{#- Where a quantile lies among sorted numbers, from 1, as percentile_cont has it: between two of them
    unless it is whole. -#}
{% macro place_of_quantile(count, share) -%}
    {%- if share is not number or share < 0 or share > 1 -%}
        {{ exceptions.raise_compiler_error(
            "place_of_quantile: expected a share between 0 and 1, found " ~ share
        ) }}
    {%- endif -%}
    (1 + cast({{ share }} as double) * ({{ count }} - 1))
{%- endmacro %}
