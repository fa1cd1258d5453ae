{#- The value of a key of the object in a JSON array that holds one object alone, as text; null
    where there are several, none, or the key is missing. The key is a constant. -#}
{% macro json_text_of_only(json, key) -%}
    {%- if "'" in key or '"' in key -%}
        {{ exceptions.raise_compiler_error(
            "json_text_of_only: expected a key without quotes, found " ~ key
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('json_text_of_only')(json, key)) }}
{%- endmacro %}

{% macro default__json_text_of_only(json, key) -%}
    case
        when json_array_length({{ json }}) = 1
            then json_extract_string({{ json }}, '$[0]."{{ key }}"')
    end
{%- endmacro %}

{% macro spark__json_text_of_only(json, key) -%}
    case
        when json_array_length({{ json }}) = 1
            then get_json_object({{ json }}, "$[0]['{{ key }}']")
    end
{%- endmacro %}
