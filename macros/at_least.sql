{#- A value, or what it is at least if it is below; null stays null, which `greatest` would pass over. -#}
{% macro at_least(value, least) -%}
    case when {{ value }} < {{ least }} then {{ least }} else {{ value }} end
{%- endmacro %}
