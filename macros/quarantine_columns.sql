{#- The four columns that say why a row is refused, all null in a row that is not:
    `quarantine_column`, `quarantine_reason`, `expected` and `text`.

    `texts` gives, for each column that may be refused, the column that holds its text as
    delivered. The relation has, for each of them, the reason or null as `<column>_refusal`, and
    `plausible_until` and `timezone` of the row. The first column that is refused counts. -#}
{% macro quarantine_columns(texts) -%}
    {%- if texts is not mapping or not texts -%}
        {{ exceptions.raise_compiler_error(
            "quarantine_columns: expected delivered columns with their texts, found " ~ texts
        ) }}
    {%- endif -%}
    case
        {%- for column in texts %}
            when {{ column }}_refusal is not null then '{{ column }}'
        {%- endfor %}
        end as quarantine_column,
        coalesce(
        {%- for column in texts %}
            {{ column }}_refusal{{ ',' if not loop.last }}
        {%- endfor %}
        ) as quarantine_reason,
        {{ expected_instead('quarantine_reason', 'plausible_until', 'timezone') }} as expected,
        case
        {%- for column, text in texts.items() %}
            when {{ column }}_refusal is not null then {{ text }}
        {%- endfor %}
        end as text
{%- endmacro %}
