with

funnels as (
    select
        funnel_id,
        order_mode,
        count_by,
    from {{ ref('funnels') }}
),

furthest_events as (
    select
        served_events.funnel_id,
        served_events.subject_key,
        served_events.event_number,
        funnels.count_by,
        row_number() over by_subject = 1 as is_first_event,
        served_events.stage_position = 1 as is_first_stage,
        max(case when served_events.stage_kind != 'open' then served_events.event_number end)
            over earlier as last_closed_number,
        max(case when served_events.stage_position = 1 then served_events.event_number end)
            over earlier as last_first_stage_number,
    from {{ ref('int_served_events') }} as served_events
    inner join funnels
        on served_events.funnel_id = funnels.funnel_id
    where funnels.order_mode = 'furthest'
    window
        by_subject as (
            partition by served_events.subject_key
            order by served_events.event_number
        ),
        earlier as (
            partition by served_events.subject_key
            order by served_events.event_number
            rows between unbounded preceding and 1 preceding
        )
),

-- The first entry opens a journey; after a win or a loss, the next first-stage entry opens another.
furthest_starts as (
    select
        funnel_id,
        subject_key,
        event_number as start_event_number,
    from furthest_events
    where
        is_first_event
        or (
            count_by = 'journey'
            and is_first_stage
            and last_closed_number >= coalesce(last_first_stage_number, 0)
        )
),

furthest_journeys as (
    select
        funnel_id,
        subject_key,
        cast(
            row_number() over (
                partition by subject_key
                order by start_event_number
            ) as integer
        ) as journey_number,
        start_event_number,
    from furthest_starts
),

journeys as (
    select distinct
        funnel_id,
        subject_key,
        journey_number,
        start_event_number,
    from {{ ref('int_chain_journey_entries') }}

    union all

    select
        funnel_id,
        subject_key,
        journey_number,
        start_event_number,
    from furthest_journeys
)

select
    funnel_id,
    subject_key,
    journey_number,
    start_event_number,
from journeys
