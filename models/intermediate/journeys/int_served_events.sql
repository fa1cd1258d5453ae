with

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('funnels') }}
),

funnel_events as (
    select
        funnel_id,
        subject_key,
        tie_policy,
        event_number,
        stage_id,
        stage_position,
        stage_kind,
        evidence,
        record_id,
        held_value,
        file_number,
        source_row,
        meets_several,
        entered_at,
    from {{ ref('int_funnel_events') }}
    where stage_id is not null
),

chain_events as (
    select
        funnel_id,
        subject_key,
        event_number,
        stage_position,
    from {{ ref('int_chain_journey_entries') }}
),

-- The stage that an event serves in a journey goes before the lowest that it meets. Where stages
-- may be skipped, an event tells how far the subject got, and serves the highest.
choices as (
    select
        funnel_events.*,
        row_number() over (
            partition by
                funnel_events.subject_key,
                funnel_events.event_number
            order by
                (chain_events.event_number is not null) desc,
                case
                    when funnels.order_mode = 'furthest'
                        then -funnel_events.stage_position
                    else funnel_events.stage_position
                end nulls last,
                funnel_events.stage_id
        ) as choice_number,
    from funnel_events
    inner join funnels
        on funnel_events.funnel_id = funnels.funnel_id
    left join chain_events
        on
            funnel_events.subject_key = chain_events.subject_key
            and funnel_events.event_number = chain_events.event_number
            and funnel_events.stage_position = chain_events.stage_position
    where funnel_events.meets_several
),

served_events as (
    select *
    from funnel_events
    where not meets_several

    union all

    select
        funnel_id,
        subject_key,
        tie_policy,
        event_number,
        stage_id,
        stage_position,
        stage_kind,
        evidence,
        record_id,
        held_value,
        file_number,
        source_row,
        meets_several,
        entered_at,
    from choices
    where choice_number = 1
)

select
    funnel_id,
    subject_key,
    event_number,
    stage_id,
    stage_position,
    stage_kind,
    evidence,
    record_id,
    held_value,
    file_number,
    source_row,
    tie_policy,
    entered_at,
from served_events
