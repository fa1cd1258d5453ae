{#- Rows whose values in the given columns, nulls included, stand in another row too. -#}
{% test unique_combination(model, columns) %}
{%- if columns is string or columns | length < 2 -%}
    {{ exceptions.raise_compiler_error(
        "unique_combination of " ~ model ~ ": expected a list of two or more columns, found " ~ columns
    ) }}
{%- endif %}

select
    {{ columns | join(',\n    ') }},
    count(*) as rows_of_key,
from {{ model }}
group by all
having count(*) > 1

{% endtest %}
