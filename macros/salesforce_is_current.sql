{#- Whether a row of Salesforce counts. In history mode, that of the latest version does. Of rows
    that the connector wrote at one instant and whose `content` differs, those of the last delivery
    do: a column that is synced no more, or a formula that gives another result, does not make the
    connector write the row anew. -#}
{% macro salesforce_is_current(relation, content) -%}
    {%- set columns = [] -%}
    {%- for column in content %}{% do columns.append(relation ~ '.' ~ column) %}{% endfor -%}
    {%- set version -%}
        partition by
            {{ relation }}._source,
            {{ relation }}.id,
            {{ relation }}._is_current,
            {{ salesforce_updated_at(relation) }}
    {%- endset -%}
    {{ relation }}._is_current
    and (
        {{ relation }}._fivetran_start is null
        or try_cast({{ relation }}._fivetran_start as timestamp)
        = max(try_cast({{ relation }}._fivetran_start as timestamp)) over (
            partition by {{ relation }}._source, {{ relation }}.id, {{ relation }}._is_current
        )
    )
    and (
        {{ relation }}._delivered_at = max({{ relation }}._delivered_at) over ({{ version }})
        or {{ content_hash(columns) }} = last_value({{ content_hash(columns) }}) over (
            {{ version }}
            order by {{ relation }}._delivered_at, {{ relation }}._file, {{ relation }}._row
            rows between unbounded preceding and unbounded following
        )
    )
{%- endmacro %}
