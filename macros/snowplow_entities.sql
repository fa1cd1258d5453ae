{#- What the table of an entity tells of each event, a row an event that has one: its fields, the
    first of which tells several of a kind apart. Of several nothing is told: which of them the
    event is about is not known. -#}
{% macro snowplow_entities(table, fields) -%}
    (
        select
            _source,
            root_id,
            {%- for field in fields %}
            case when min({{ fields[0] }}) = max({{ fields[0] }}) then min({{ field }}) end
                as {{ field }},
            {%- endfor %}
        from {{ source('snowplow', table) }}
        where _is_current
        group by all
    )
{%- endmacro %}
