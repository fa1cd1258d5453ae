{{ config(**kept_by_subject()) }}

with

journey_exclusions as (
    select
        funnel_id,
        subject_id,
        start_event_number,
        after_stage_id,
        before_stage_id,
        match_value,
        excluded_at,
    from {{ ref('int_journey_exclusions') }}
    where not {{ is_other_order('subject_id') }}
),

-- An event that meets several stages has several rows, all of one instant.
events as (
    select distinct
        funnel_id,
        subject_id,
        event_number,
        entered_at,
    from {{ ref('int_ordered_events') }}
)

select
    journey_exclusions.funnel_id,
    journey_exclusions.subject_id,
    cast(
        dense_rank() over (
            partition by journey_exclusions.funnel_id, journey_exclusions.subject_id
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
                journey_exclusions.funnel_id,
                journey_exclusions.subject_id,
                journey_exclusions.start_event_number
        ) as bigint
    ) as exclusions,
from journey_exclusions
inner join events
    on
        journey_exclusions.funnel_id = events.funnel_id
        and journey_exclusions.subject_id = events.subject_id
        and journey_exclusions.start_event_number = events.event_number
