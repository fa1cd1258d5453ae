{{ config(**kept_by_subject()) }}

with

journey_exclusions as (
    select
        subject_key,
        start_event_number,
        after_stage_id,
        before_stage_id,
        match_value,
        excluded_at,
    from {{ ref('int_journey_exclusions') }}
    where not {{ is_other_order('subject_key') }}
),

-- An event that meets several stages has several rows, all of one instant.
events as (
    select distinct
        subject_key,
        event_number,
        entered_at,
    from {{ ref('int_ordered_events') }}
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
    cast(
        dense_rank() over (
            partition by journey_exclusions.subject_key
            order by journey_exclusions.start_event_number
        ) as integer
    ) as excluded_journey_number,
    journey_exclusions.after_stage_id,
    journey_exclusions.before_stage_id,
    journey_exclusions.match_value,
    events.entered_at,
    journey_exclusions.excluded_at,
    cast(
        count(*) over (
            partition by
                journey_exclusions.subject_key, journey_exclusions.start_event_number
        ) as bigint
    ) as exclusions,
from journey_exclusions
inner join subjects
    on journey_exclusions.subject_key = subjects.subject_key
inner join events
    on
        journey_exclusions.subject_key = events.subject_key
        and journey_exclusions.start_event_number = events.event_number
