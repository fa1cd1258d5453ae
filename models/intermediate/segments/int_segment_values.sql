{{ config(materialized='view') }}

{%- set session_attributes = {} -%}
{%- for column in [
    'channel', 'landing_page', 'referrer_host',
    'campaign_source', 'campaign_medium', 'campaign_name',
] %}
    {%- do session_attributes.update({'session_' ~ column: column}) %}
{%- endfor %}

with

run as (
    select as_of from {{ ref('int_run') }}
),

segments as (
    select
        funnel_id,
        segment_name,
        attribute,
        attribute in (
            {%- for attribute in session_attributes %}
                '{{ attribute }}'{{ ',' if not loop.last }}
            {%- endfor %}
        ) as is_of_session,
        taken_at,
        case when taken_at in ('entry', 'stage') then taken_at else 'journey' end as needs,
        stage_id,
    from {{ ref('dim_segments') }}
),

event_attributes as (
    select
        source_files.file_number,
        events.source_row,
        events.session_id,
        events.properties as attributes,
    from {{ ref('int_events') }} as events
    inner join {{ ref('int_source_files') }} as source_files
        on events.source_file = source_files.source_file
),

-- What a session is like, each under the name by which a segment asks for it.
session_attributes as (
    select
        session_id,
        {{ json_of_values(session_attributes) }} as attributes,
    from {{ ref('dim_sessions') }}
),

record_attributes as (
    select
        record_id,
        attributes,
    from {{ ref('int_surviving_records') }}
),

attribute_history as (
    select
        record_id,
        attribute,
        attribute_value,
        known_from,
    from {{ ref('int_attribute_history') }}
),

event_entries as (
    select
        segment_entries.funnel_id,
        segment_entries.subject_key,
        segment_entries.journey_number,
        segment_entries.needed_for,
        segment_entries.stage_id,
        segment_entries.event_number,
        segment_entries.tie_position,
        segment_entries.entered_at,
        event_attributes.session_id,
        event_attributes.attributes,
    from {{ ref('int_segment_entries') }} as segment_entries
    left join event_attributes
        on
            segment_entries.file_number = event_attributes.file_number
            and segment_entries.source_row = event_attributes.source_row
    where segment_entries.record_id is null
),

-- Where an entry has no date, its record is known as it is at the as-of.
record_entries as (
    select
        segment_entries.funnel_id,
        segment_entries.subject_key,
        segment_entries.journey_number,
        segments.segment_name,
        segments.attribute,
        segments.taken_at,
        segment_entries.needed_for,
        segment_entries.event_number,
        segment_entries.tie_position,
        segment_entries.record_id,
        coalesce(segment_entries.entered_at, run.as_of) as known_at,
        segment_entries.next_entered_at,
    from {{ ref('int_segment_entries') }} as segment_entries
    inner join segments
        on
            segment_entries.funnel_id = segments.funnel_id
            and segment_entries.needed_for = segments.needs
            and segment_entries.stage_id is not distinct from segments.stage_id
    cross join run
    where segment_entries.record_id is not null
),

event_values as (
    select
        event_entries.funnel_id,
        event_entries.subject_key,
        event_entries.journey_number,
        segments.segment_name,
        segments.taken_at,
        event_entries.needed_for,
        case
            when segments.is_of_session
                then {{ json_text_at('session_attributes.attributes', 'segments.attribute') }}
            else {{ json_text_at('event_entries.attributes', 'segments.attribute') }}
        end as attribute_value,
        false as is_field_change,
        event_entries.tie_position,
        event_entries.event_number,
        cast(null as varchar) as record_id,
        event_entries.entered_at as known_at,
    from event_entries
    inner join segments
        on
            event_entries.funnel_id = segments.funnel_id
            and event_entries.needed_for = segments.needs
            and event_entries.stage_id is not distinct from segments.stage_id
    left join session_attributes
        on
            case when segments.is_of_session then event_entries.session_id end
            = session_attributes.session_id
),

record_values as (
    select
        record_entries.funnel_id,
        record_entries.subject_key,
        record_entries.journey_number,
        record_entries.segment_name,
        record_entries.taken_at,
        record_entries.needed_for,
        case
            when attribute_history.record_id is not null then attribute_history.attribute_value
            else {{ json_text_at('record_attributes.attributes', 'record_entries.attribute') }}
        end as attribute_value,
        false as is_field_change,
        record_entries.tie_position,
        record_entries.event_number,
        record_entries.record_id,
        record_entries.known_at,
    from record_entries
    asof left join attribute_history
        on
            record_entries.record_id = attribute_history.record_id
            and record_entries.attribute = attribute_history.attribute
            and record_entries.known_at >= attribute_history.known_from
    left join record_attributes
        on record_entries.record_id = record_attributes.record_id
),

records_of_journeys as (
    select
        funnel_id,
        subject_key,
        journey_number,
        segment_name,
        attribute,
        taken_at,
        record_id,
        min(next_entered_at) as next_entered_at,
        min(known_at) as first_known_at,
    from record_entries
    where needed_for = 'journey'
    group by all
),

record_changes as (
    select
        records_of_journeys.funnel_id,
        records_of_journeys.subject_key,
        records_of_journeys.journey_number,
        records_of_journeys.segment_name,
        records_of_journeys.taken_at,
        'journey' as needed_for,
        attribute_history.attribute_value,
        true as is_field_change,
        0 as tie_position,
        0 as event_number,
        records_of_journeys.record_id,
        attribute_history.known_from as known_at,
    from records_of_journeys
    inner join attribute_history
        on
            records_of_journeys.record_id = attribute_history.record_id
            and records_of_journeys.attribute = attribute_history.attribute
            and records_of_journeys.first_known_at < attribute_history.known_from
    where
        records_of_journeys.next_entered_at is null
        or attribute_history.known_from < records_of_journeys.next_entered_at
),

all_values as (
    select * from event_values
    union all
    select * from record_values
    union all
    select * from record_changes
)

select
    funnel_id,
    subject_key,
    journey_number,
    segment_name,
    taken_at,
    needed_for,
    attribute_value,
    is_field_change,
    tie_position,
    event_number,
    record_id,
    known_at,
from all_values
