{#- A duration of decimal(18,6) seconds as whole microseconds, bigint, with no float in between. -#}
{% macro microseconds_of(seconds) -%}
    {#- Eighteen digits would hold the product for eleven days only. -#}
    cast(cast({{ seconds }} as decimal(28, 6)) * 1000000 as bigint)
{%- endmacro %}
