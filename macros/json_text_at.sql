{#- The value of a key of a JSON object, as text, where the key is itself a column. -#}
{% macro json_text_at(json, key) -%}
    {{ return(adapter.dispatch('json_text_at')(json, key)) }}
{%- endmacro %}

{% macro default__json_text_at(json, key) -%}
    json_extract_string({{ json }}, '$."' || {{ key }} || '"')
{%- endmacro %}

{% macro spark__json_text_at(json, key) -%}
    get_json_object({{ json }}, concat("$['", {{ key }}, "']"))
{%- endmacro %}
