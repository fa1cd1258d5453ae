{#- The value of a key of a JSON object, as text; null where the key is missing or its value is
    null. The key is a constant. -#}
{% macro json_text(json, key) -%}
    {%- if "'" in key or '"' in key -%}
        {{ exceptions.raise_compiler_error(
            "json_text: expected a key without quotes, found " ~ key
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('json_text')(json, key)) }}
{%- endmacro %}

{% macro default__json_text(json, key) -%}
    json_extract_string({{ json }}, '$."{{ key }}"')
{%- endmacro %}

{% macro spark__json_text(json, key) -%}
    get_json_object({{ json }}, "$['{{ key }}']")
{%- endmacro %}
