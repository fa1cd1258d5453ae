{#- Joins what `to_utc` needs to know of the time zone on the day of a text. `offsets` is a CTE of
    `stg_time_zones__utc_offsets`, one for each text: the engine computes a CTE that is read twice
    in full, with all columns of the model around it. -#}
{% macro join_utc_offsets(offsets, timezone, text) -%}
left join {{ offsets }}
        on
            {{ timezone }} = {{ offsets }}.timezone
            and cast({{ naive_timestamp(text) }} as date) = {{ offsets }}.local_date
{%- endmacro %}
