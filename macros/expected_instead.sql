{#- In words, what would have been accepted instead of a value that was refused for `reason`. -#}
{% macro expected_instead(reason, until, timezone) -%}
    case {{ reason }}
            when 'missing_value' then 'a value'
            when 'no_subject' then 'a value in one of the columns that name the subject'
            when 'unknown_record_type' then 'lead or opportunity'
            when 'unreadable_timestamp' then 'a date or timestamp as in ISO 8601'
            when 'unreadable_date' then 'a date as in ISO 8601'
            when 'unreadable_number' then 'a number with at most 14 digits before its point'
            when 'unreadable_boolean' then 'true or false'
            when 'nonexistent_local_time'
                then 'a time that the clocks of ' || {{ timezone }} || ' showed'
            when 'implausible_past'
                then 'an instant from {{ var("earliest_plausible_instant") }} on'
            when 'implausible_future'
                then 'an instant up to ' || cast({{ until }} as varchar) || ' UTC'
        end
{%- endmacro %}
