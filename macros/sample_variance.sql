{#- The variance of a sample (over n - 1) as double, from exact sums, so that the order of the rows
    does not matter. `value` is a column of whole numbers or decimals; null for fewer than two. -#}
{% macro sample_variance(value) -%}
    case
        when count({{ value }}) > 1
            then greatest(
                0,
                (
                    cast(sum(cast({{ value }} as decimal(38, 4)) * {{ value }}) as double)
                    - cast(sum({{ value }}) as double)
                    * cast(sum({{ value }}) as double) / count({{ value }})
                ) / (count({{ value }}) - 1)
            )
    end
{%- endmacro %}
