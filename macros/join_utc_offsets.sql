{#- Joins, under the alias `offsets`, what `to_utc` needs to know of the time zone on the day of a text. -#}
{% macro join_utc_offsets(offsets, timezone, text) -%}
left join utc_offsets as {{ offsets }}
        on {{ timezone }} = {{ offsets }}.timezone
        and cast({{ naive_timestamp(text) }} as date) = {{ offsets }}.local_date
{%- endmacro %}
