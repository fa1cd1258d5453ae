with recursive

ladder_stages as (
    select
        funnel_id,
        stage_position,
        is_optional,
    from {{ ref('funnel_stages') }}
    where stage_kind != 'lost'
),

candidates as (
    select
        start_entry_id,
        start_event_number,
        funnel_id,
        subject_id,
        window_ends_at,
        stage_position,
        event_number,
    from {{ ref('int_any_order_candidates') }}
),

chains as (
    select
        start_entry_id,
        start_event_number,
        funnel_id,
        subject_id,
        window_ends_at,
        0 as stages_tried,
        0 as last_stage_position,
        cast([] as bigint[]) as event_numbers,
        cast([] as integer[]) as stage_positions,
    from candidates
    group by all

    union all

    select
        chains.start_entry_id,
        chains.start_event_number,
        chains.funnel_id,
        chains.subject_id,
        chains.window_ends_at,
        chains.stages_tried + 1 as stages_tried,
        case
            when candidates.event_number is null then chains.last_stage_position
            else ladder_stages.stage_position
        end as last_stage_position,
        case
            when candidates.event_number is null then chains.event_numbers
            else list_append(chains.event_numbers, candidates.event_number)
        end as event_numbers,
        case
            when candidates.event_number is null then chains.stage_positions
            else list_append(chains.stage_positions, ladder_stages.stage_position)
        end as stage_positions,
    from chains
    inner join ladder_stages
        on
            chains.funnel_id = ladder_stages.funnel_id
            and chains.stages_tried + 1 = ladder_stages.stage_position
    left join candidates
        on
            chains.start_entry_id = candidates.start_entry_id
            and ladder_stages.stage_position = candidates.stage_position
            and not list_contains(chains.event_numbers, candidates.event_number)
    where candidates.event_number is not null or ladder_stages.is_optional
)

select
    start_entry_id,
    funnel_id,
    subject_id,
    last_stage_position,
    len(stage_positions) as stages_entered,
    event_numbers,
    stage_positions,
    window_ends_at,
from chains
where
    last_stage_position > 0
    -- The window is counted from the earliest of the stages that count.
    and list_contains(event_numbers, start_event_number)
qualify max(last_stage_position) over (partition by start_entry_id) = last_stage_position
