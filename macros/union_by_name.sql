{#- Joins the rows of two selects by the names of their columns; what one lacks is null there. -#}
{% macro union_by_name() -%}
    {{ return(adapter.dispatch('union_by_name')()) }}
{%- endmacro %}

{% macro default__union_by_name() -%}
    {{ exceptions.raise_compiler_error(
        "union_by_name: this engine has no union by name; spell the columns out in a macro of its own"
    ) }}
{%- endmacro %}

{% macro duckdb__union_by_name() -%}
    union all by name
{%- endmacro %}
