{#- A text with its length before it (3:web): texts joined to one key cannot be cut elsewhere. -#}
{% macro length_prefixed(text) -%}
    length({{ text }}) || ':' || {{ text }}
{%- endmacro %}
