{#- The quarantine columns of a row, those of a conflict between versions of `key` included. -#}
{% macro or_key_conflict(key) -%}
    case when is_key_conflict then '{{ key }}' else quarantine_column end as quarantine_column,
    case when is_key_conflict then 'key_conflict' else quarantine_reason end as quarantine_reason,
    case
        when is_key_conflict then 'one content for a key and updated_at'
        else expected
    end as expected,
    case
        when is_key_conflict then {{ key }} || ' of ' || cast(updated_at as varchar)
        else text
    end as text
{%- endmacro %}
