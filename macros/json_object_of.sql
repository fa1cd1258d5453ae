{#- A JSON object as text, with columns under their own names. -#}
{% macro json_object_of(columns) -%}
    {%- if columns is string or not columns -%}
        {{ exceptions.raise_compiler_error("json_object_of: expected a list of columns, found " ~ columns) }}
    {%- endif -%}
    {{ return(adapter.dispatch('json_object_of')(columns)) }}
{%- endmacro %}

{% macro default__json_object_of(columns) -%}
    cast(json_object({% for column in columns %}'{{ column }}', {{ column }}{{ ', ' if not loop.last }}{% endfor %}) as varchar)
{%- endmacro %}

{% macro spark__json_object_of(columns) -%}
    to_json(
        named_struct({% for column in columns %}'{{ column }}', {{ column }}{{ ', ' if not loop.last }}{% endfor %}),
        map('ignoreNullFields', 'false')
    )
{%- endmacro %}
