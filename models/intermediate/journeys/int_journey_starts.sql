with

journeys as (
    select
        funnel_id,
        subject_key,
        journey_number,
        start_event_number,
    from {{ ref('int_journeys') }}
),

served_events as (
    select
        funnel_id,
        subject_key,
        tie_policy,
        event_number,
        stage_id,
        record_id,
        held_value,
        file_number,
        source_row,
        entered_at,
    from {{ ref('int_served_events') }}
),

journey_entries as (
    select
        funnel_id,
        subject_key,
        journey_number,
        event_number,
        stage_id,
        stage_position,
        record_id,
        file_number,
        source_row,
        entered_at,
    from {{ ref('int_journey_entries') }}
),

start_events as (
    select
        journeys.funnel_id,
        journeys.subject_key,
        journeys.journey_number,
        journeys.start_event_number,
        served_events.tie_policy,
        served_events.stage_id,
        served_events.record_id,
        served_events.held_value,
        served_events.file_number,
        served_events.source_row,
        served_events.entered_at,
    from journeys
    inner join served_events
        on
            journeys.subject_key = served_events.subject_key
            and journeys.start_event_number = served_events.event_number
),

-- Events are numbered by the lowest stage that they meet. Under `funnel_order`, that of their
-- instant comes first which serves the lowest.
lowest_entries as (
    select
        start_events.funnel_id,
        start_events.subject_key,
        start_events.journey_number,
        journey_entries.event_number,
        journey_entries.stage_id,
        journey_entries.record_id,
        journey_entries.file_number,
        journey_entries.source_row,
    from start_events
    inner join journey_entries
        on
            start_events.subject_key = journey_entries.subject_key
            and start_events.journey_number = journey_entries.journey_number
            and start_events.entered_at = journey_entries.entered_at
    where start_events.tie_policy = 'funnel_order'
    qualify
        row_number() over (
            partition by
                start_events.subject_key,
                start_events.journey_number
            order by journey_entries.stage_position
        ) = 1
)

select
    start_events.funnel_id,
    start_events.subject_key,
    start_events.journey_number,
    start_events.start_event_number,
    coalesce(lowest_entries.event_number, start_events.start_event_number) as entry_event_number,
    coalesce(lowest_entries.stage_id, start_events.stage_id) as entry_stage_id,
    case
        when lowest_entries.event_number is null then start_events.record_id
        else lowest_entries.record_id
    end as record_id,
    start_events.held_value,
    coalesce(lowest_entries.file_number, start_events.file_number) as file_number,
    coalesce(lowest_entries.source_row, start_events.source_row) as source_row,
    start_events.entered_at,
from start_events
left join lowest_entries
    on
        start_events.subject_key = lowest_entries.subject_key
        and start_events.journey_number = lowest_entries.journey_number
