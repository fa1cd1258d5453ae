with

stage_successors as (
    select
        funnel_id,
        stage_position,
        next_stage_position,
    from {{ ref('int_stage_successors') }}
),

chain_entries as (
    select
        entry_id,
        funnel_id,
        chain_key,
        tie_policy,
        event_number,
        stage_position,
        lane,
        last_repeat_number,
        entered_at,
    from {{ ref('int_chain_entries') }}
),

stage_lanes as (
    select distinct
        funnel_id,
        chain_key,
        stage_position,
        lane,
    from chain_entries
),

wanted_entries as (
    select
        chain_entries.entry_id,
        chain_entries.funnel_id,
        chain_entries.chain_key,
        chain_entries.event_number,
        chain_entries.last_repeat_number,
        stage_lanes.stage_position as next_stage_position,
        stage_lanes.lane as next_lane,
    from chain_entries
    inner join stage_successors
        on
            chain_entries.funnel_id = stage_successors.funnel_id
            and chain_entries.stage_position = stage_successors.stage_position
    inner join stage_lanes
        on
            chain_entries.funnel_id = stage_lanes.funnel_id
            and chain_entries.chain_key = stage_lanes.chain_key
            and stage_successors.next_stage_position = stage_lanes.stage_position
),

later_entries as (
    select
        wanted_entries.entry_id,
        wanted_entries.event_number,
        next_entries.entry_id as next_entry_id,
        next_entries.event_number as next_event_number,
        next_entries.stage_position as next_stage_position,
        next_entries.entered_at as next_entered_at,
        wanted_entries.last_repeat_number,
    from wanted_entries
    asof join chain_entries as next_entries
        on
            wanted_entries.funnel_id = next_entries.funnel_id
            and wanted_entries.chain_key = next_entries.chain_key
            and wanted_entries.next_stage_position = next_entries.stage_position
            and wanted_entries.next_lane = next_entries.lane
            and wanted_entries.event_number < next_entries.event_number
),

-- At one instant `funnel_order` looks at the stages alone, so that an event that could serve
-- several of them may follow one that is numbered after it.
simultaneous_entries as (
    select
        chain_entries.entry_id,
        chain_entries.event_number,
        next_entries.entry_id as next_entry_id,
        next_entries.event_number as next_event_number,
        next_entries.stage_position as next_stage_position,
        next_entries.entered_at as next_entered_at,
        chain_entries.last_repeat_number,
    from chain_entries
    inner join stage_successors
        on
            chain_entries.funnel_id = stage_successors.funnel_id
            and chain_entries.stage_position = stage_successors.stage_position
    inner join chain_entries as next_entries
        on
            chain_entries.funnel_id = next_entries.funnel_id
            and chain_entries.chain_key = next_entries.chain_key
            and chain_entries.entered_at = next_entries.entered_at
            and stage_successors.next_stage_position = next_entries.stage_position
            and chain_entries.event_number > next_entries.event_number
    where
        chain_entries.tie_policy = 'funnel_order'
        and (chain_entries.lane like '%event %' or next_entries.lane like '%event %')
),

all_next_entries as (
    select * from later_entries
    union all
    select * from simultaneous_entries
)

select
    entry_id,
    event_number,
    next_entry_id,
    next_event_number,
    next_stage_position,
    next_entered_at,
from all_next_entries
-- In a strict funnel nothing but repeats may stand in between.
where last_repeat_number is null or next_event_number <= last_repeat_number + 1
