{#- What tells rows of one content from rows of another: a hash of columns. Nulls count, and so
    does where a value ends. -#}
{% macro content_hash(columns) -%}
    {%- if columns is string or not columns -%}
        {{ exceptions.raise_compiler_error(
            "content_hash: expected a list of columns, found " ~ columns
        ) }}
    {%- endif -%}
    {%- set texts = [] -%}
    {%- for column in columns %}
        {%- do texts.append('cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')') %}
    {%- endfor -%}
    {{ return(hash_text(adapter.dispatch('json_array')(texts | join(', ')))) }}
{%- endmacro %}

{% macro default__json_array(texts) -%}
    cast(to_json([{{ texts }}]) as varchar)
{%- endmacro %}

{% macro spark__json_array(texts) -%}
    to_json(array({{ texts }}))
{%- endmacro %}
