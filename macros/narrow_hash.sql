{#- A number of 64 bits for columns, fast and small enough to group millions of rows by. It may be
    the same for different values, though not in the lifetime of a warehouse for the two of one key,
    and another with the next version of the engine, whose build keeps nothing of this one's. -#}
{% macro narrow_hash(columns) -%}
    {%- if columns is string or not columns -%}
        {{ exceptions.raise_compiler_error(
            "narrow_hash: expected a list of columns, found " ~ columns
        ) }}
    {%- endif -%}
    {{ return(adapter.dispatch('narrow_hash')(columns)) }}
{%- endmacro %}

{% macro default__narrow_hash(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro spark__narrow_hash(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}
