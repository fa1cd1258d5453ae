{#- The columns that have nulls, and in how many rows: all of a model in one look at it, since dbt takes
    longer to run a test than DuckDB to answer it. -#}
{% test never_null(model, columns) %}
{{ config(fail_calc='coalesce(sum(null_rows), 0)') }}
{%- if columns is string or not columns -%}
    {{ exceptions.raise_compiler_error(
        "never_null of " ~ model ~ ": expected a list of columns, found " ~ columns
    ) }}
{%- endif %}

with

counted as (
    select
        {%- for column in columns %}
        count(*) - count({{ column }}) as {{ column }},
        {%- endfor %}
    from {{ model }}
)

{% for column in columns -%}
{{ 'union all ' if not loop.first }}select
    '{{ column }}' as column_name,
    {{ column }} as null_rows,
from counted
where {{ column }} > 0
{% endfor %}

{% endtest %}
