with

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('funnels') }}
),

served_events as (
    select
        funnel_id,
        subject_key,
        event_number,
        stage_id,
        stage_position,
        stage_kind,
        evidence,
        record_id,
        file_number,
        source_row,
        entered_at,
    from {{ ref('int_served_events') }}
    where stage_position is not null
),

chain_events as (
    select
        subject_key,
        journey_number,
        event_number,
        stage_position,
    from {{ ref('int_chain_journey_entries') }}
),

journeys as (
    select
        journeys.subject_key,
        journeys.journey_number,
        journeys.start_event_number,
    from {{ ref('int_journeys') }} as journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    where funnels.order_mode = 'furthest'
),

events_of_journeys as (
    select
        served_events.subject_key,
        journeys.journey_number,
        served_events.stage_position,
        served_events.event_number,
    from served_events
    asof join journeys
        on
            served_events.subject_key = journeys.subject_key
            and served_events.event_number >= journeys.start_event_number
),

first_entries as (
    select
        subject_key,
        journey_number,
        stage_position,
        min(event_number) as event_number,
    from events_of_journeys
    group by all
),

journey_entries as (
    select
        subject_key,
        journey_number,
        stage_position,
        event_number,
    from chain_events

    union all

    select
        subject_key,
        journey_number,
        stage_position,
        event_number,
    from first_entries
)

select
    served_events.funnel_id,
    journey_entries.subject_key,
    journey_entries.journey_number,
    journey_entries.event_number,
    served_events.stage_id,
    served_events.stage_position,
    served_events.stage_kind,
    served_events.evidence,
    served_events.record_id,
    served_events.file_number,
    served_events.source_row,
    served_events.entered_at,
from journey_entries
inner join served_events
    on
        journey_entries.subject_key = served_events.subject_key
        and journey_entries.event_number = served_events.event_number
        and journey_entries.stage_position = served_events.stage_position
