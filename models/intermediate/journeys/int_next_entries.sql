with

funnels as (
    select
        funnel_id,
        collapse_repeats,
    from {{ ref('funnels') }}
),

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
        lowest_stage_position,
        entered_at,
    from {{ ref('int_chain_entries') }}
),

stage_lanes as (
    select distinct
        chain_key,
        stage_position,
        lane,
    from chain_entries
),

wanted_entries as (
    select
        chain_entries.entry_id,
        chain_entries.chain_key,
        chain_entries.event_number,
        chain_entries.stage_position,
        chain_entries.last_repeat_number,
        chain_entries.entered_at,
        stage_lanes.stage_position as next_stage_position,
        stage_lanes.lane as next_lane,
    from chain_entries
    inner join stage_successors
        on
            chain_entries.funnel_id = stage_successors.funnel_id
            and chain_entries.stage_position = stage_successors.stage_position
    inner join stage_lanes
        on
            chain_entries.chain_key = stage_lanes.chain_key
            and stage_successors.next_stage_position = stage_lanes.stage_position
),

later_entries as (
    select
        wanted_entries.entry_id,
        wanted_entries.chain_key,
        wanted_entries.event_number,
        wanted_entries.stage_position,
        wanted_entries.entered_at,
        next_entries.entry_id as next_entry_id,
        next_entries.event_number as next_event_number,
        next_entries.stage_position as next_stage_position,
        next_entries.entered_at as next_entered_at,
        wanted_entries.last_repeat_number,
    from wanted_entries
    asof join chain_entries as next_entries
        on
            wanted_entries.chain_key = next_entries.chain_key
            and wanted_entries.next_stage_position = next_entries.stage_position
            and wanted_entries.next_lane = next_entries.lane
            and wanted_entries.event_number < next_entries.event_number
),

-- At one instant `funnel_order` looks at the stages alone, so that an event that could serve
-- several of them may follow one that is numbered after it.
simultaneous_entries as (
    select
        chain_entries.entry_id,
        chain_entries.chain_key,
        chain_entries.event_number,
        chain_entries.stage_position,
        chain_entries.entered_at,
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
            chain_entries.chain_key = next_entries.chain_key
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
),

-- In a strict funnel nothing but repeats may stand in between. At one instant `funnel_order` looks
-- at the stages alone, but an event that could serve several is numbered by the lowest of them.
shareable_entries as (
    select
        entry_id,
        chain_key,
        event_number,
        stage_position,
        entered_at,
    from chain_entries
    where last_repeat_number is not null and lane like '%event %'
),

repeatable_entries as (
    select
        chain_entries.chain_key,
        chain_entries.event_number,
        chain_entries.stage_position,
    from chain_entries
    inner join funnels
        on chain_entries.funnel_id = funnels.funnel_id
    where chain_entries.last_repeat_number is not null and funnels.collapse_repeats
),

passed_events as (
    -- What is numbered between two entries may be a link further on.
    select
        later_entries.entry_id,
        later_entries.next_entry_id,
        shareable_entries.event_number,
        true as is_numbered_between,
        true as has_to_be_link,
    from later_entries
    inner join shareable_entries
        on
            later_entries.chain_key = shareable_entries.chain_key
            and later_entries.next_entered_at = shareable_entries.entered_at
            and later_entries.next_stage_position < shareable_entries.stage_position
            and later_entries.next_event_number > shareable_entries.event_number
            and later_entries.last_repeat_number < shareable_entries.event_number

    union all

    -- Or it stands before the first of them, which serves a higher stage than it is numbered by.
    select
        later_entries.entry_id,
        later_entries.next_entry_id,
        chain_entries.event_number,
        true as is_numbered_between,
        false as has_to_be_link,
    from later_entries
    inner join shareable_entries
        on later_entries.entry_id = shareable_entries.entry_id
    inner join chain_entries
        on
            shareable_entries.chain_key = chain_entries.chain_key
            and shareable_entries.entered_at = chain_entries.entered_at
            and shareable_entries.stage_position > chain_entries.lowest_stage_position
            and later_entries.next_event_number > chain_entries.event_number
            and later_entries.last_repeat_number < chain_entries.event_number

    union all

    -- What is numbered after the second of them stands in between where its stage is lower.
    select
        all_next_entries.entry_id,
        all_next_entries.next_entry_id,
        chain_entries.event_number,
        false as is_numbered_between,
        true as has_to_be_link,
    from all_next_entries
    inner join shareable_entries
        on all_next_entries.next_entry_id = shareable_entries.entry_id
    inner join chain_entries
        on
            shareable_entries.chain_key = chain_entries.chain_key
            and shareable_entries.entered_at = chain_entries.entered_at
            and shareable_entries.stage_position > chain_entries.lowest_stage_position
            and shareable_entries.event_number < chain_entries.event_number
            and all_next_entries.last_repeat_number < chain_entries.event_number
            and (
                all_next_entries.entered_at < chain_entries.entered_at
                or all_next_entries.stage_position <= chain_entries.lowest_stage_position
            )
    left join repeatable_entries
        on
            chain_entries.chain_key = repeatable_entries.chain_key
            and chain_entries.event_number = repeatable_entries.event_number
            and all_next_entries.stage_position = repeatable_entries.stage_position
    where repeatable_entries.chain_key is null
),

judged_events as (
    select
        entry_id,
        next_entry_id,
        event_number,
        bool_or(is_numbered_between) as is_numbered_between,
        bool_and(has_to_be_link) as has_to_be_link,
    from passed_events
    group by all
),

passages as (
    select
        entry_id,
        next_entry_id,
        count(*) filter (where is_numbered_between) as events_between,
        array_agg(event_number order by event_number) filter (where has_to_be_link)
            as needed_event_numbers,
    from judged_events
    group by all
)

select
    all_next_entries.entry_id,
    all_next_entries.event_number,
    all_next_entries.next_entry_id,
    all_next_entries.next_event_number,
    all_next_entries.next_stage_position,
    passages.needed_event_numbers,
    all_next_entries.next_entered_at,
from all_next_entries
left join passages
    on
        all_next_entries.entry_id = passages.entry_id
        and all_next_entries.next_entry_id = passages.next_entry_id
where
    all_next_entries.last_repeat_number is null
    or all_next_entries.next_event_number
    <= all_next_entries.last_repeat_number + 1 + coalesce(passages.events_between, 0)
