with recursive

starts as (
    select
        entry_id,
        funnel_id,
        subject_key,
        event_number,
        stage_position,
        entered_at,
        window_ends_at,
        reopened_event_number,
    from {{ ref('int_chain_starts') }}
),

next_entries as (
    select
        entry_id,
        event_number,
        next_entry_id,
        next_event_number,
        next_stage_position,
        needed_event_numbers,
        next_entered_at,
    from {{ ref('int_next_entries') }}
),

chains as (
    select
        entry_id as start_entry_id,
        funnel_id,
        subject_key,
        window_ends_at,
        reopened_event_number,
        entry_id as last_entry_id,
        stage_position as last_stage_position,
        1 as stages_entered,
        cast(null as bigint[]) as needed_event_numbers,
        [event_number] as event_numbers,
        [stage_position] as stage_positions,
    from starts

    union all

    select
        chains.start_entry_id,
        chains.funnel_id,
        chains.subject_key,
        chains.window_ends_at,
        chains.reopened_event_number,
        next_entries.next_entry_id as last_entry_id,
        next_entries.next_stage_position as last_stage_position,
        chains.stages_entered + 1 as stages_entered,
        case
            when next_entries.needed_event_numbers is null then chains.needed_event_numbers
            when chains.needed_event_numbers is null then next_entries.needed_event_numbers
            else list_concat(chains.needed_event_numbers, next_entries.needed_event_numbers)
        end as needed_event_numbers,
        list_append(chains.event_numbers, next_entries.next_event_number) as event_numbers,
        list_append(chains.stage_positions, next_entries.next_stage_position) as stage_positions,
    from chains
    inner join next_entries
        on chains.last_entry_id = next_entries.entry_id
    where
        (chains.window_ends_at is null or next_entries.next_entered_at <= chains.window_ends_at)
        and (
            chains.reopened_event_number is null
            or next_entries.next_event_number < chains.reopened_event_number
        )
        -- No event serves twice.
        and not list_contains(chains.event_numbers, next_entries.next_event_number)
),

earliest_next_entries as (
    select
        entry_id,
        min(next_entered_at) as next_entered_at,
        min(next_event_number) as next_event_number,
    from next_entries
    where next_event_number > event_number and needed_event_numbers is null
    group by all
)

select
    chains.start_entry_id,
    chains.funnel_id,
    chains.subject_key,
    chains.last_stage_position,
    chains.stages_entered,
    chains.event_numbers,
    chains.stage_positions,
    chains.window_ends_at,
from chains
left join earliest_next_entries
    on chains.last_entry_id = earliest_next_entries.entry_id
-- A chain that could go on is the beginning of others, not a candidate of its own.
where
    -- What stands between two links of a strict chain has to be another.
    (
        chains.needed_event_numbers is null
        or list_has_all(chains.event_numbers, chains.needed_event_numbers)
    )
    and (
        earliest_next_entries.entry_id is null
        or earliest_next_entries.next_entered_at > chains.window_ends_at
        or earliest_next_entries.next_event_number >= chains.reopened_event_number
        -- What comes next may be an event that this chain has used already.
        or chains.event_numbers[chains.stages_entered] < list_max(chains.event_numbers)
    )
