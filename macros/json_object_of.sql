{#- A JSON object as text, of columns under their own names. -#}
{% macro json_object_of(columns) -%}
    {%- if columns is string or not columns -%}
        {{ exceptions.raise_compiler_error(
            "json_object_of: expected a list of columns, found " ~ columns
        ) }}
    {%- endif -%}
    {%- set pairs = [] -%}
    {%- for column in columns %}{% do pairs.append("'" ~ column ~ "', " ~ column) %}{% endfor -%}
    {{ return(adapter.dispatch('json_object_of')(pairs | join(', '))) }}
{%- endmacro %}

{% macro default__json_object_of(pairs) -%}
    cast(json_object({{ pairs }}) as varchar)
{%- endmacro %}

{% macro spark__json_object_of(pairs) -%}
    to_json(named_struct({{ pairs }}), map('ignoreNullFields', 'false'))
{%- endmacro %}
