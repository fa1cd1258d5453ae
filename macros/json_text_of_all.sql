{#- The value of a key that all objects in a JSON array agree in, as text; null where they have
    several, or none. The key is a constant. -#}
{% macro json_text_of_all(json, key) -%}
    {%- if "'" in key or '"' in key -%}
        {{ exceptions.raise_compiler_error(
            "json_text_of_all: expected a key without quotes, found " ~ key
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('json_text_of_all')(json, key)) }}
{%- endmacro %}

{% macro default__json_text_of_all(json, key) -%}
    case
        when list_unique(json_extract_string({{ json }}, '$[*]."{{ key }}"')) = 1
            then json_extract_string({{ json }}, '$[0]."{{ key }}"')
    end
{%- endmacro %}

{% macro spark__json_text_of_all(json, key) -%}
    case
        when size(array_distinct(transform(
            from_json({{ json }}, 'array<map<string, string>>'), one -> one['{{ key }}']
        ))) = 1
            then get_json_object({{ json }}, "$[0]['{{ key }}']")
    end
{%- endmacro %}
