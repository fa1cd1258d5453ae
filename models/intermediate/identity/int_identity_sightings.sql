with

run as (
    select as_of from {{ ref('int_run') }}
),

events as (
    select
        events.source,
        events.anonymous_id,
        events.user_id,
        events.email_hash,
        events.is_role_address,
        events.occurred_at,
        events.source_file,
        events.source_row,
    from {{ ref('int_traffic') }} as events
    cross join run
    where
        events.traffic_type is null
        and events.occurred_at < run.as_of
),

-- The one pass over all events: from here on there are as many rows as there are combinations.
combinations as (
    select
        source,
        anonymous_id,
        user_id,
        email_hash,
        bool_or(is_role_address) as is_role_address,
        min(occurred_at) as first_seen_at,
    from events
    group by source, anonymous_id, user_id, email_hash
),

tying_combinations as (
    select * from combinations
    where email_hash is not null or (anonymous_id is not null and user_id is not null)
),

tying_events as (
    select * from events
    where email_hash is not null or (anonymous_id is not null and user_id is not null)
),

first_rows as (
    select
        tying_events.source,
        tying_events.anonymous_id,
        tying_events.user_id,
        tying_events.email_hash,
        tying_events.source_file,
        tying_events.source_row,
    from tying_events
    inner join tying_combinations
        on
            tying_events.source = tying_combinations.source
            and tying_events.occurred_at = tying_combinations.first_seen_at
            and tying_events.anonymous_id is not distinct from tying_combinations.anonymous_id
            and tying_events.user_id is not distinct from tying_combinations.user_id
            and tying_events.email_hash is not distinct from tying_combinations.email_hash
    qualify row_number() over (
        partition by
            tying_events.source,
            tying_events.anonymous_id,
            tying_events.user_id,
            tying_events.email_hash
        order by tying_events.source_file, tying_events.source_row
    ) = 1
)

select
    combinations.source,
    combinations.anonymous_id,
    combinations.user_id,
    combinations.email_hash,
    combinations.is_role_address,
    combinations.first_seen_at,
    first_rows.source_file,
    first_rows.source_row,
from combinations
left join first_rows
    on
        combinations.source = first_rows.source
        and combinations.anonymous_id is not distinct from first_rows.anonymous_id
        and combinations.user_id is not distinct from first_rows.user_id
        and combinations.email_hash is not distinct from first_rows.email_hash
