{#- Aggregate: the quantiles of a number at the given shares, interpolated linearly, as a list in
    that order; `list_item` takes them out. One pass, where calls of percentile_cont take one each. -#}
{% macro interpolated_quantiles(number, shares) -%}
    {%- for share in shares if share is not number or share < 0 or share > 1 -%}
        {{ exceptions.raise_compiler_error(
            "interpolated_quantiles: expected shares between 0 and 1, found " ~ share
        ) }}
    {%- endfor -%}
    {{ return(adapter.dispatch('interpolated_quantiles')(number, shares)) }}
{%- endmacro %}

{% macro default__interpolated_quantiles(number, shares) -%}
    quantile_cont({{ number }}, {{ shares }})
{%- endmacro %}

{% macro spark__interpolated_quantiles(number, shares) -%}
    percentile({{ number }}, array({{ shares | join(', ') }}))
{%- endmacro %}
