{#- The items of a JSON array as a list of texts, objects among them as JSON; null of null. -#}
{% macro json_items(json) -%}
    {{ return(adapter.dispatch('json_items')(json)) }}
{%- endmacro %}

{% macro default__json_items(json) -%}
    json_extract_string({{ json }}, '$[*]')
{%- endmacro %}

{% macro spark__json_items(json) -%}
    from_json({{ json }}, 'array<string>')
{%- endmacro %}
