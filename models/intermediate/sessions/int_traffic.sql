{{ config(materialized='view') }}

with

excluded_users as (
    select
        identifier as user_id,
        traffic_type,
    from {{ ref('int_excluded_visitors') }}
    where identifier_type = 'user_id'
),

excluded_devices as (
    select
        identifier as anonymous_id,
        traffic_type,
    from {{ ref('int_excluded_visitors') }}
    where identifier_type = 'anonymous_id'
)

select
    events.source,
    events.event_name,
    events.user_id,
    events.anonymous_id,
    events.session_id,
    events.email_hash,
    events.properties,
    events.content_number,
    events.is_role_address,
    least(
        events.traffic_type, excluded_users.traffic_type, excluded_devices.traffic_type
    ) as traffic_type,
    events.occurred_at,
    events.source_file,
    events.source_row,
from {{ ref('stg_events') }} as events
left join excluded_users
    on events.user_id = excluded_users.user_id
left join excluded_devices
    on events.anonymous_id = excluded_devices.anonymous_id
