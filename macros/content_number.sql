{#- What tells rows of one content from rows of another, and puts them into an order that hangs on
    their content alone: a number of 64 bits, from the MD5 of columns, the same with every version
    of the engine. Nulls count, and so does where a value ends. -#}
{% macro content_number(columns) -%}
    {%- if columns is string or not columns -%}
        {{ exceptions.raise_compiler_error(
            "content_number: expected a list of columns, found " ~ columns
        ) }}
    {%- endif -%}
    {%- set texts = [] -%}
    {%- for column in columns %}
        {%- do texts.append(
            "coalesce(" ~ length_prefixed("cast(" ~ column ~ " as " ~ dbt.type_string() ~ ")")
            ~ ", '-')"
        ) %}
    {%- endfor -%}
    {{ return(adapter.dispatch('content_number')(texts | join(' || '))) }}
{%- endmacro %}

{% macro default__content_number(text) -%}
    md5_number_lower({{ text }})
{%- endmacro %}

{% macro spark__content_number(text) -%}
    cast(conv(substr(md5({{ text }}), 17), 16, 10) as decimal(20, 0))
{%- endmacro %}
