{{ config(materialized='table') }}

{%- set content_columns = [
    'clock_at', 'event_name', 'user_id', 'anonymous_id', 'session_id', 'email_hash',
    'properties', 'received_at', 'other_text', 'event_id', 'source',
] %}

with

events as (
    select * from {{ ref('base_events') }}
    where quarantine_reason is null
),

hashed_events as (
    select
        event_id,
        suspect_hash,
        {{ narrow_hash(['source_file']) }} as file_hash,
    from {{ ref('base_events') }}
    where quarantine_reason is null
),

-- Millions of events, few of them repeated: numbers find suspects, and only these are compared.
suspects as (
    select suspect_hash
    from hashed_events
    group by suspect_hash
    having
        count(*) > 1
        and (count(event_id) > 0 or min(file_hash) != max(file_hash))
),

suspected_events as (
    select
        events.*,
        {{ content_hash(content_columns) }} as content_hash,
    from events
    inner join suspects
        on events.suspect_hash = suspects.suspect_hash
),

-- By its content and not by its file, so that the order of delivery decides nothing.
copies_by_id as (
    select
        source,
        source_file,
        source_row,
        row_number() over (
            partition by source, event_id
            order by
                occurred_at,
                event_name,
                content_hash,
                delivered_at,
                source_file,
                source_row
        ) as copy_number,
    from suspected_events
    where event_id is not null
),

numbered_in_files as (
    select
        source,
        source_file,
        source_row,
        content_hash,
        delivered_at,
        row_number() over (
            partition by content_hash, source_file
            order by source_row
        ) as number_in_file,
    from suspected_events
    where event_id is null
),

-- The first copy of one file and the first of another are the same event, and so on: as many stay
-- as the file with most of them has, each known since the first file that has it.
copies_by_content as (
    select
        source,
        source_file,
        source_row,
        row_number() over (
            partition by content_hash, number_in_file
            order by delivered_at, source_file
        ) as copy_number,
    from numbered_in_files
)

select
    source,
    source_file,
    source_row,
from copies_by_id
where copy_number > 1

union all

select
    source,
    source_file,
    source_row,
from copies_by_content
where copy_number > 1
