{#- What the table of an entity tells of each event, a row an event that has one: the fields that
    all of its rows agree in, as `json_text_of_all` has it of a column. -#}
{% macro snowplow_entities(table, fields) -%}
    (
        select
            _source,
            root_id,
            {%- for field in fields %}
            case when min({{ field }}) = max({{ field }}) then min({{ field }}) end as {{ field }},
            {%- endfor %}
        from {{ source('snowplow', table) }}
        where _is_current
        group by all
    )
{%- endmacro %}
