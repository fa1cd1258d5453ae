{#- A delivered text without the blanks around it; null where nothing is left. -#}
{% macro clean_text(text) -%}
    nullif(trim({{ text }}), '')
{%- endmacro %}
