{{ config(**kept_by_load()) }}

{#- As they were delivered: staging drops what tells who a person is. -#}
{%- set columns = {
    'source': 'events._source',
    'event_name': clean_text('events.event_name'),
    'user_id': clean_text('events.user_id'),
    'anonymous_id': clean_text('events.anonymous_id'),
    'user_agent': clean_text('events.user_agent'),
    'ip_address': clean_text('events.ip_address'),
} -%}

with

events as (
    select * from {{ ref('delivered_events') }}
    where _is_current and {{ is_of_new_load('_load_id') }}
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

property_names as (
    select distinct property_name,
    from rules
),

-- Most events lack a property, and a look at the text is cheaper than at its keys.
event_values as (
    select
        events._load_id as load_id,
        events._file as source_file,
        events._row as source_row,
        property_names.property_name,
        case property_names.property_name
            when 'email' then lower({{ clean_text(
                'coalesce(' ~ json_text('events.properties', 'email') ~ ', '
                ~ json_text('events._extra', 'email') ~ ')'
            ) }})
            else coalesce(
                {{ json_text_at('events.properties', 'property_names.property_name') }},
                {{ json_text_at('events._extra', 'property_names.property_name') }}
            )
        end as property_value,
    from events
    inner join property_names
        on
            contains(events.properties, '"' || property_names.property_name || '"')
            or contains(events._extra, '"' || property_names.property_name || '"')
    {%- for name, value in columns.items() %}

        union all

        select
            events._load_id as load_id,
            events._file as source_file,
            events._row as source_row,
            property_names.property_name,
            {{ value }} as property_value,
        from events
        cross join property_names
        where property_names.property_name = '{{ name }}'
    {%- endfor %}
),

-- There are few values, such as browsers, of many events.
property_values as (
    select distinct
        property_name,
        property_value,
    from event_values
),

recognised_values as (
    select
        property_values.property_name,
        property_values.property_value,
        min(rules.traffic_type) as traffic_type,
        min(rules.traffic_type) filter (where rules.excludes = 'visitor') as visitor_traffic_type,
    from property_values
    inner join rules
        on
            property_values.property_name = rules.property_name
            and {{ matches_rule(
                'property_values.property_value', 'rules.match_type', 'rules.match_value'
            ) }}
    group by all
)

select
    event_values.load_id,
    event_values.source_file,
    event_values.source_row,
    min(recognised_values.traffic_type) as traffic_type,
    min(recognised_values.visitor_traffic_type) as visitor_traffic_type,
from event_values
inner join recognised_values
    on
        event_values.property_name = recognised_values.property_name
        and event_values.property_value = recognised_values.property_value
group by event_values.load_id, event_values.source_file, event_values.source_row

union all

-- What holds nothing of the kind is known to have been looked at.
select distinct
    _load_id as load_id,
    _file as source_file,
    cast(null as bigint) as source_row,
    cast(null as varchar) as traffic_type,
    cast(null as varchar) as visitor_traffic_type,
from events
