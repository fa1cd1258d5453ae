{#- Microseconds as seconds, as double: what is published. -#}
{% macro seconds_of(microseconds) -%}
    cast({{ microseconds }} as double) / 1e6
{%- endmacro %}
