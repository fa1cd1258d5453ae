{{ config(**kept_by_subject()) }}

with

journeys as (
    select
        funnel_id,
        subject_key,
        journey_number,
    from {{ ref('int_journeys') }}
    where not {{ is_other_order('subject_key') }}
),

segments as (
    select
        funnel_id,
        segment_name,
    from {{ ref('dim_segments') }}
    where taken_at != 'entry'
),

values_at_entry as (
    select
        subject_key,
        journey_number,
        segment_name,
        attribute_value,
    from {{ ref('int_segment_values') }}
    where needed_for = 'entry'
),

later_values as (
    select
        subject_key,
        journey_number,
        segment_name,
        taken_at,
        attribute_value,
        row_number() over (
            partition by subject_key, journey_number, segment_name
            order by
                known_at nulls last,
                is_field_change,
                tie_position,
                event_number,
                record_id nulls first
        ) as value_number,
        count(*) over (
            partition by subject_key, journey_number, segment_name
        ) as known_values,
    from {{ ref('int_segment_values') }}
    where
        needed_for != 'entry'
        -- An entry without a value says nothing; a field that is cleared has none from then on.
        and (attribute_value is not null or (taken_at = 'last' and is_field_change))
),

chosen_values as (
    select
        subject_key,
        journey_number,
        segment_name,
        attribute_value,
    from later_values
    where
        (taken_at in ('stage', 'first') and value_number = 1)
        or (taken_at = 'last' and value_number = known_values)

    union all

    select distinct
        subject_key,
        journey_number,
        segment_name,
        attribute_value,
    from later_values
    where taken_at = 'each'
),

-- Whoever has no value by then still stands in the segment.
journey_segments as (
    select
        subject_key,
        journey_number,
        segment_name,
        attribute_value,
    from values_at_entry

    union all

    select
        journeys.subject_key,
        journeys.journey_number,
        segments.segment_name,
        chosen_values.attribute_value,
    from journeys
    inner join segments
        on journeys.funnel_id = segments.funnel_id
    left join chosen_values
        on
            journeys.subject_key = chosen_values.subject_key
            and journeys.journey_number = chosen_values.journey_number
            and segments.segment_name = chosen_values.segment_name
),

subjects as (
    select
        subject_key,
        funnel_id,
        subject_id,
    from {{ ref('int_touched_subjects') }}
)

select
    subjects.funnel_id,
    subjects.subject_id,
    journey_segments.journey_number,
    journey_segments.segment_name,
    {{ segment_value('journey_segments.attribute_value') }} as segment_value,
from journey_segments
inner join subjects
    on journey_segments.subject_key = subjects.subject_key
