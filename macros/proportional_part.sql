{#- The part of a whole number that falls to one of several, in proportion to whole weights, as
    bigint. Laid end to end, the weights mark off the whole; each boundary is rounded once, so that
    the parts sum to the whole exactly, and each differs from its exact share by less than one.

    Args, all whole numbers: the whole, the sum of the weights before this one, the sum with it, and
    the sum of all. Null where all weights are 0. -#}
{% macro proportional_part(whole, weights_before, weights_until, weights) -%}
    (
        {{ _proportional_boundary(whole, weights_until, weights) }}
        - {{ _proportional_boundary(whole, weights_before, weights) }}
    )
{%- endmacro %}

{% macro _proportional_boundary(whole, weights_until, weights) -%}
    case
        when {{ weights_until }} = {{ weights }} and {{ weights }} > 0 then {{ whole }}
        else cast(
            round(
                cast({{ whole }} as double) * {{ weights_until }} / nullif({{ weights }}, 0)
            ) as bigint
        )
    end
{%- endmacro %}
