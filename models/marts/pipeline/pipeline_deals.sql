with

states as (
    select
        funnel_id,
        deal_id,
        state_number,
        stage_id,
        stage_position,
        owner_id,
        expected_close_date,
        amount,
        stage_entered_at,
        changed_at,
        changed_date,
        next_changed_at,
        next_changed_date,
    from {{ ref('int_deal_states') }}
    where is_open
),

state_segments as (
    select
        funnel_id,
        deal_id,
        state_number,
        segment_name,
        segment_value,
    from {{ ref('int_deal_state_segments') }}
)

select
    states.funnel_id,
    states.deal_id,
    states.state_number,
    state_segments.segment_name,
    state_segments.segment_value,
    states.stage_id,
    states.stage_position,
    states.owner_id,
    states.expected_close_date,
    states.changed_date as from_date,
    states.next_changed_date as until_date,
    states.stage_entered_at,
    states.changed_at as from_at,
    states.next_changed_at as until_at,
    states.amount,
from states
inner join state_segments
    on
        states.funnel_id = state_segments.funnel_id
        and states.deal_id = state_segments.deal_id
        and states.state_number = state_segments.state_number
