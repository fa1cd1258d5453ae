{#- An amount times the rate of its currency, as decimal(18,4). The product of two short decimals is
    worked out in 64 bits, which some ten million already exceed: one of them is made long. -#}
{% macro in_reporting_currency(amount, rate) -%}
    cast(cast({{ amount }} as decimal(38, 4)) * {{ rate }} as decimal(18, 4))
{%- endmacro %}
