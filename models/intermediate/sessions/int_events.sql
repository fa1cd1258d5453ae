{{ config(materialized='view') }}

with

traffic as (
    select * from {{ ref('int_traffic') }}
    where traffic_type is null
),

cut_sessions as (
    select
        source_file,
        source_row,
        session_id,
    from {{ ref('int_cut_sessions') }}
)

select
    traffic.source,
    traffic.event_name,
    traffic.user_id,
    traffic.anonymous_id,
    coalesce(cut_sessions.session_id, traffic.session_id) as session_id,
    traffic.email_hash,
    traffic.properties,
    traffic.content_number,
    traffic.source_file,
    traffic.source_row,
    traffic.occurred_at,
from traffic
left join cut_sessions
    on
        traffic.source_file = cut_sessions.source_file
        and traffic.source_row = cut_sessions.source_row
