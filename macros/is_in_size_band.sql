{#- Whether an amount lies in a band of `deal_size_bands`, whose columns `bands` has. A band without an
    upper end reaches as far as a decimal(18,4) does. -#}
{% macro is_in_size_band(amount, bands) -%}
    {{ amount }} >= {{ bands }}.amount_from
    and {{ amount }} < coalesce({{ bands }}.amount_below, 1e14)
{%- endmacro %}
