{#- The first instant (UTC) at which clocks show a time or a later one: of a time that they show
    twice the first, of one that they skip the instant of the change. `offsets` is the row of
    `stg_time_zones__utc_offsets` of the time's date, or null in UTC. -#}
{% macro first_shown_at(wall_clock, offsets) -%}
    {%- set before = seconds_later(wall_clock, '-coalesce(' ~ offsets ~ '.seconds_before, 0)') -%}
    {%- set after = seconds_later(wall_clock, '-' ~ offsets ~ '.seconds_after') -%}
    case
        when {{ offsets }}.changes_at is null or {{ before }} < {{ offsets }}.changes_at
            then {{ before }}
        else greatest({{ after }}, {{ offsets }}.changes_at)
    end
{%- endmacro %}
