{#- An amount times a probability, as decimal(18,4); null where the probability is. The probability
    counts with eight digits, and the amount is made a long decimal, since the product of two short
    ones is worked out in 64 bits. -#}
{% macro weighted_amount(amount, probability) -%}
    cast(
        cast({{ amount }} as decimal(38, 4)) * cast({{ probability }} as decimal(9, 8))
        as decimal(18, 4)
    )
{%- endmacro %}
