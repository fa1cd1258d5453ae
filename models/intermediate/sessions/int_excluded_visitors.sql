with

run as (
    select as_of from {{ ref('int_run') }}
),

recognised_events as (
    select
        events.user_id,
        events.anonymous_id,
        events.visitor_traffic_type,
    from {{ ref('stg_events') }} as events
    cross join run
    where
        events.visitor_traffic_type is not null
        and events.occurred_at < run.as_of
),

identifiers as (
    select
        'user_id' as identifier_type,
        user_id as identifier,
        visitor_traffic_type as traffic_type,
    from recognised_events
    where user_id is not null

    union all

    select
        'anonymous_id' as identifier_type,
        anonymous_id as identifier,
        visitor_traffic_type as traffic_type,
    from recognised_events
    where anonymous_id is not null
)

select
    identifier_type,
    identifier,
    min(traffic_type) as traffic_type,
from identifiers
group by identifier_type, identifier
