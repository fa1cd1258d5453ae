{#- The rows that count of a table that others look things up in: of each key the one that was
    delivered last, by `version` (columns, the most telling first) and then by delivery. -#}
{% macro current_rows(relation, key, version=[]) -%}
    (
        select *
        from {{ relation }}
        where _is_current
        qualify row_number() over (
            partition by _source, {{ key }}
            order by
                {% for column in version %}{{ column }} desc nulls last, {% endfor -%}
                _delivered_at desc, _file desc, _row desc
        ) = 1
    )
{%- endmacro %}
