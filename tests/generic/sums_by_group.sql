{#- Groups of rows whose sum of a column is not the total that stands in each of their rows. -#}
{% test sums_by_group(model, column, total, group_by) %}
{%- if group_by is string or not group_by -%}
    {{ exceptions.raise_compiler_error(
        "sums_by_group of " ~ model ~ ": expected group_by as a list of columns, found " ~ group_by
    ) }}
{%- endif %}

select
    {{ group_by | join(',\n    ') }},
    sum({{ column }}) as found,
    min({{ total }}) as expected,
    max({{ total }}) as highest_expected,
from {{ model }}
group by {{ group_by | join(', ') }}
having
    sum({{ column }}) is distinct from min({{ total }})
    or min({{ total }}) is distinct from max({{ total }})

{% endtest %}
