{#- Why an instant, delivered as `text` and `instant` in UTC, cannot be used; null where it can.
    Nothing that was delivered can have happened after `until`. -#}
{% macro refuse_instant(text, instant, until) -%}
    case
        when {{ text }} is null then null
        when {{ instant }} is null and try_cast({{ text }} as timestamp) is null
            then 'unreadable_timestamp'
        when {{ instant }} is null then 'nonexistent_local_time'
        when {{ instant }} < cast('{{ var("earliest_plausible_instant") }}' as timestamp)
            then 'implausible_past'
        when {{ instant }} > {{ until }} then 'implausible_future'
    end
{%- endmacro %}
