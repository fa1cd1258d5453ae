with

events as (
    select * from {{ ref('base_events') }}
    where quarantine_reason is null
),

repeated_events as (
    select
        source_file,
        source_row,
    from {{ ref('base_repeated_events') }}
),

recognised_traffic as (
    select
        source_file,
        source_row,
        traffic_type,
        visitor_traffic_type,
    from {{ ref('base_recognised_traffic') }}
)

select
    events.source,
    events.event_id,
    events.event_name,
    events.user_id,
    events.anonymous_id,
    events.session_id,
    events.email_hash,
    events.properties,
    events.content_number,
    recognised_traffic.traffic_type,
    recognised_traffic.visitor_traffic_type,
    events.is_role_address,
    events.is_ambiguous_time,
    events.is_corrected_time,
    coalesce(
        events.received_at > {{ dbt.dateadd('hour', 1, 'events.occurred_at') }}, false
    ) as is_received_late,
    events.occurred_at,
    events.delivered_at,
    events.source_file,
    events.source_row,
from events
left join repeated_events
    on
        events.source_file = repeated_events.source_file
        and events.source_row = repeated_events.source_row
left join recognised_traffic
    on
        events.source_file = recognised_traffic.source_file
        and events.source_row = recognised_traffic.source_row
where repeated_events.source_file is null
