{#- What tells rows of the same content from others: a hash of columns, whose nulls and borders between
    values count. -#}
{% macro content_hash(columns) -%}
    {%- if columns is string or not columns -%}
        {{ exceptions.raise_compiler_error("content_hash: expected a list of columns, found " ~ columns) }}
    {%- endif -%}
    {{ hash_text(adapter.dispatch('json_array_of')(columns)) }}
{%- endmacro %}

{% macro default__json_array_of(columns) -%}
    cast(to_json([{% for column in columns %}cast({{ column }} as varchar){{ ', ' if not loop.last }}{% endfor %}]) as varchar)
{%- endmacro %}

{% macro spark__json_array_of(columns) -%}
    to_json(array({% for column in columns %}cast({{ column }} as string){{ ', ' if not loop.last }}{% endfor %}))
{%- endmacro %}
