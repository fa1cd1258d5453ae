{#- Number of an event among those of its subject in a funnel, from 1: by instant and, at equal
    instants, by the tie policy; undated ones come last. Rows of one event share it. Under
    `funnel_order`, an event that meets several stages stands where its lowest one does, a lost
    stage behind the ladder, and what is no stage behind that. `events` names a table of funnel
    events, `tie_policy` a column. -#}
{% macro event_number(events, tie_policy) -%}
    dense_rank() over (
        partition by {{ events }}.subject_key
        order by
            {{ events }}.entered_at nulls last,
            case {{ tie_policy }}
                when 'funnel_order'
                    then case
                        when {{ events }}.stage_id is null then 34
                        else coalesce({{ events }}.lowest_stage_position, 33)
                    end
            end nulls last,
            case {{ tie_policy }}
                when 'funnel_order' then {{ events }}.content_number
            end nulls last,
            {{ events }}.file_number,
            {{ events }}.source_row,
            {{ events }}.source_sequence
    )
{%- endmacro %}
