{#- A regular expression, as a text of SQL, that is met by JSON with one of the personal keys. -#}
{% macro names_personal_key() -%}
    '"({{ personal_keys() | join("|") }})"'
{%- endmacro %}
