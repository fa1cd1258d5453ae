{#- A number of subjects that a quotient asks for: numerator / denominator, rounded up, as bigint;
    null where the denominator is 0, and where no bigint holds the result.

    Both must be whole numbers below 2^53: then the quotient of the two doubles is exact wherever it
    is a whole number, and is none where it is not. A rate as a float is not exact: 21 / 0.7 is a hair
    more than 30, and would be rounded up to 31. Give it as a fraction: 21 * 10 / 7. -#}
{% macro rounded_up(numerator, denominator) -%}
    try_cast(
        ceil(cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0))
        as bigint
    )
{%- endmacro %}
