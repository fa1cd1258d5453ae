{#- Microseconds as decimal(18,6) seconds, exact: what the facts hold. -#}
{% macro decimal_seconds(microseconds) -%}
    cast(cast({{ microseconds }} as decimal(24, 6)) / 1000000 as decimal(18, 6))
{%- endmacro %}
