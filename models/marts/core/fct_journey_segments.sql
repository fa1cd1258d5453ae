with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('funnels') }}
),

segments as (
    select
        segment_name,
        subject_type,
        attribute,
    from {{ ref('segments') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        start_event_number,
    from {{ ref('int_journeys') }}
),

served_events as (
    select
        funnel_id,
        subject_id,
        event_number,
        record_id,
        -- The attributes of a record's stages are the record's.
        case when record_id is null then file_number end as file_number,
        source_row,
    from {{ ref('int_served_events') }}
),

event_attributes as (
    select
        source_files.file_number,
        events.source_row,
        events.properties as attributes,
    from {{ ref('stg_generic__events') }} as events
    inner join {{ ref('int_source_files') }} as source_files
        on events.source_file = source_files.source_file
),

record_attributes as (
    select
        record_id,
        attributes,
    from {{ ref('int_surviving_records') }}
),

entries as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        funnels.subject_type,
        coalesce(record_attributes.attributes, event_attributes.attributes) as attributes,
    from journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
    inner join served_events
        on
            journeys.funnel_id = served_events.funnel_id
            and journeys.subject_id = served_events.subject_id
            and journeys.start_event_number = served_events.event_number
    left join record_attributes
        on served_events.record_id = record_attributes.record_id
    left join event_attributes
        on
            served_events.file_number = event_attributes.file_number
            and served_events.source_row = event_attributes.source_row
)

select
    entries.funnel_id,
    entries.subject_id,
    entries.journey_number,
    segments.segment_name,
    {{ segment_value(json_text_at('entries.attributes', 'segments.attribute')) }} as segment_value,
from entries
inner join segments
    on entries.subject_type = segments.subject_type
