with

run as (
    select as_of from {{ ref('int_run') }}
),

sources as (
    select
        source,
        session_gap_minutes,
    from {{ ref('sources') }}
    where session_gap_minutes is not null
),

events as (
    select
        events.source,
        coalesce(events.anonymous_id, events.user_id) as visitor_id,
        sources.session_gap_minutes,
        events.source_file,
        events.source_row,
        events.occurred_at,
    from {{ ref('int_traffic') }} as events
    inner join sources
        on events.source = sources.source
    cross join run
    where
        events.traffic_type is null
        and events.occurred_at < run.as_of
),

pauses as (
    select
        *,
        {{ microseconds_between(
            'lag(occurred_at) over (partition by source, visitor_id order by occurred_at)',
            'occurred_at'
        ) }} as microseconds_since_last,
    from events
),

starts as (
    select
        *,
        case
            when microseconds_since_last <= session_gap_minutes * 60000000 then null
            else occurred_at
        end as session_started_at,
    from pauses
)

-- A session is named by how it began: one more night adds to it, and does not rename it.
select
    source_file,
    source_row,
    source || ':' || visitor_id || '@' || cast(
        max(session_started_at) over (
            partition by source, visitor_id
            order by occurred_at
            range between unbounded preceding and current row
        ) as {{ dbt.type_string() }}
    ) as session_id,
from starts
