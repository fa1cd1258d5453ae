{#- A text where it is a JSON object, else null: for columns that nothing held against a type. -#}
{% macro json_object_or_null(text) -%}
    {{ return(adapter.dispatch('json_object_or_null')(text)) }}
{%- endmacro %}

{% macro default__json_object_or_null(text) -%}
    case
        when json_type(case when json_valid({{ text }}) then {{ text }} end) = 'OBJECT'
            then {{ text }}
    end
{%- endmacro %}

{% macro spark__json_object_or_null(text) -%}
    case
        when get_json_object({{ text }}, '$') is not null and left(ltrim({{ text }}), 1) = '{'
            then {{ text }}
    end
{%- endmacro %}
