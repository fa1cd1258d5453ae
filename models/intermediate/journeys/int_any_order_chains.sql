with recursive

ladder_stages as (
    select
        funnel_id,
        stage_position,
        is_optional,
        cast(count(*) over (partition by funnel_id) as integer) as stages,
        count(*) filter (where not is_optional) over (
            partition by funnel_id
            order by stage_position
        ) as required_stages,
    from {{ ref('funnel_stages') }}
    where stage_kind != 'lost'
),

candidates as (
    select
        start_entry_id,
        start_event_number,
        first_alike_number,
        funnel_id,
        subject_key,
        window_ends_at,
        stage_position,
        event_number,
        meets_several,
    from {{ ref('int_any_order_candidates') }}
),

starts as (
    select distinct
        start_entry_id,
        start_event_number,
        first_alike_number,
        funnel_id,
        subject_key,
        window_ends_at,
    from candidates
),

sure_stages as (
    select distinct
        start_entry_id,
        stage_position,
    from candidates
    where not meets_several
),

-- A stage goes without an entry where there is none, or where its event could serve another one.
choices as (
    select
        candidates.start_entry_id,
        candidates.stage_position,
        candidates.event_number,
        ladder_stages.is_optional,
        ladder_stages.stages,
    from candidates
    inner join ladder_stages
        on
            candidates.funnel_id = ladder_stages.funnel_id
            and candidates.stage_position = ladder_stages.stage_position

    union all

    select
        starts.start_entry_id,
        ladder_stages.stage_position,
        cast(null as bigint) as event_number,
        ladder_stages.is_optional,
        ladder_stages.stages,
    from starts
    inner join ladder_stages
        on starts.funnel_id = ladder_stages.funnel_id
    left join sure_stages
        on
            starts.start_entry_id = sure_stages.start_entry_id
            and ladder_stages.stage_position = sure_stages.stage_position
    where sure_stages.start_entry_id is null
),

chains as (
    select
        start_entry_id,
        start_event_number,
        first_alike_number,
        funnel_id,
        subject_key,
        window_ends_at,
        0 as stages_tried,
        0 as last_stage_position,
        false as is_finished,
        cast([] as bigint[]) as event_numbers,
        cast([] as integer[]) as stage_positions,
    from starts

    union all

    select
        chains.start_entry_id,
        chains.start_event_number,
        chains.first_alike_number,
        chains.funnel_id,
        chains.subject_key,
        chains.window_ends_at,
        chains.stages_tried + 1 as stages_tried,
        case
            when choices.event_number is null then chains.last_stage_position
            else choices.stage_position
        end as last_stage_position,
        -- Without a required stage there is no going on.
        choices.stage_position = choices.stages
        or (choices.event_number is null and not choices.is_optional) as is_finished,
        case
            when choices.event_number is null then chains.event_numbers
            else list_append(chains.event_numbers, choices.event_number)
        end as event_numbers,
        case
            when choices.event_number is null then chains.stage_positions
            else list_append(chains.stage_positions, choices.stage_position)
        end as stage_positions,
    from chains
    inner join choices
        on
            chains.start_entry_id = choices.start_entry_id
            and chains.stages_tried + 1 = choices.stage_position
    where
        not chains.is_finished
        and (
            choices.event_number is null
            -- No event serves twice.
            or not list_contains(chains.event_numbers, choices.event_number)
        )
),

finished_chains as (
    select *
    from chains
    where
        is_finished
        and last_stage_position > 0
        -- The window is counted from the earliest of the stages that count.
        and list_contains(event_numbers, start_event_number)
),

-- Where a stage went without an event that then served no other one, the set could be larger.
incomplete_chains as (
    select distinct
        finished_chains.start_entry_id,
        finished_chains.event_numbers,
        finished_chains.stage_positions,
    from finished_chains
    inner join candidates
        on finished_chains.start_entry_id = candidates.start_entry_id
    inner join ladder_stages
        on
            candidates.funnel_id = ladder_stages.funnel_id
            and candidates.stage_position = ladder_stages.stage_position
    inner join ladder_stages as last_stages
        on
            finished_chains.funnel_id = last_stages.funnel_id
            and finished_chains.last_stage_position = last_stages.stage_position
    where
        candidates.meets_several
        and not list_contains(finished_chains.stage_positions, candidates.stage_position)
        and not list_contains(finished_chains.event_numbers, candidates.event_number)
        and ladder_stages.required_stages
        <= last_stages.required_stages + case when ladder_stages.is_optional then 0 else 1 end
)

select
    finished_chains.start_entry_id,
    finished_chains.first_alike_number,
    finished_chains.funnel_id,
    finished_chains.subject_key,
    finished_chains.last_stage_position,
    len(finished_chains.stage_positions) as stages_entered,
    finished_chains.event_numbers,
    finished_chains.stage_positions,
    finished_chains.window_ends_at,
from finished_chains
left join incomplete_chains
    on
        finished_chains.start_entry_id = incomplete_chains.start_entry_id
        and finished_chains.event_numbers = incomplete_chains.event_numbers
        and finished_chains.stage_positions = incomplete_chains.stage_positions
where incomplete_chains.start_entry_id is null
