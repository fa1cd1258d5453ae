{{ config(materialized='table') }}

{#- What a rule looks at, as it was delivered: staging drops what tells who a person is. -#}
{%- set delivered_value -%}
    case rules.property_name
        when 'source' then events._source
        when 'event_name' then {{ clean_text('events.event_name') }}
        when 'user_id' then {{ clean_text('events.user_id') }}
        when 'anonymous_id' then {{ clean_text('events.anonymous_id') }}
        when 'email' then lower({{ clean_text(json_text('events.properties', 'email')) }})
        else coalesce(
            case rules.property_name
                when 'user_agent' then {{ clean_text('events.user_agent') }}
                when 'ip_address' then {{ clean_text('events.ip_address') }}
            end,
            {{ json_text_at('events.properties', 'rules.property_name') }},
            {{ json_text_at('events._extra', 'rules.property_name') }}
        )
    end
{%- endset %}

with

events as (
    select * from {{ ref('delivered_events') }}
    where _is_current
),

rules as (
    select
        traffic_type,
        excludes,
        property_name,
        match_type,
        match_value,
    from {{ ref('excluded_traffic') }}
),

-- Most events lack what a rule looks at, and a look at the text is cheaper than at its keys.
matches as (
    select
        events._file as source_file,
        events._row as source_row,
        rules.traffic_type,
        rules.excludes,
    from events
    inner join rules
        on
            (
                rules.property_name in (
                    'source', 'event_name', 'user_id', 'anonymous_id', 'user_agent', 'ip_address'
                )
                or events.properties like '%"' || rules.property_name || '"%'
                or events._extra like '%"' || rules.property_name || '"%'
            )
            and {{ matches_rule(delivered_value, 'rules.match_type', 'rules.match_value') }}
)

select
    source_file,
    source_row,
    min(traffic_type) as traffic_type,
    min(traffic_type) filter (where excludes = 'visitor') as visitor_traffic_type,
from matches
group by source_file, source_row
