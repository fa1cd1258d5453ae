with

funnels as (
    select
        funnel_id,
        subject_type,
        order_mode,
    from {{ ref('funnels') }}
    where count_by = 'journey' and order_mode != 'furthest'
),

funnel_stages as (
    select
        funnel_id,
        stage_position,
        stage_kind,
        is_optional,
    from {{ ref('funnel_stages') }}
),

funnel_events as (
    select
        funnel_id,
        subject_key,
        event_number,
        stage_kind,
        lowest_stage_position,
        entered_at,
    from {{ ref('int_funnel_events') }}
    where entered_at is not null
),

all_chains as (
    select
        start_entry_id,
        funnel_id,
        subject_key,
        last_stage_position,
        stages_entered,
        event_numbers,
        stage_positions,
        window_ends_at,
    from {{ ref('int_chains') }}

    union all

    select
        start_entry_id,
        funnel_id,
        subject_key,
        last_stage_position,
        stages_entered,
        event_numbers,
        stage_positions,
        window_ends_at,
    from {{ ref('int_any_order_chains') }}
),

chains as (
    select
        all_chains.*,
        funnels.order_mode,
        list_min(all_chains.event_numbers) as start_event_number,
        row_number() over () as chain_id,
    from all_chains
    inner join funnels
        on all_chains.funnel_id = funnels.funnel_id
),

starts as (
    select
        chains.funnel_id,
        chains.subject_key,
        chains.start_event_number,
        min(chains.window_ends_at) as window_ends_at,
        min(funnel_events.entered_at) as entered_at,
        bool_or(
            chains.stage_positions[1] = 1 and chains.event_numbers[1] = chains.start_event_number
        ) as is_first_stage,
    from chains
    inner join funnel_events
        on
            chains.subject_key = funnel_events.subject_key
            and chains.start_event_number = funnel_events.event_number
    group by all
),

-- Only an entry of the first stage opens a further journey.
openings as (
    select
        funnel_id,
        subject_key,
        start_event_number as event_number,
        entered_at,
    from starts
    where is_first_stage
),

first_openings_of_instant as (
    select
        funnel_id,
        subject_key,
        entered_at,
        min(event_number) as event_number,
    from openings
    group by all
),

-- A record is closed by any entry of a won stage; for all others a win is one of the chain. What
-- could serve a stage of the ladder is no loss.
closings as (
    select
        funnel_events.funnel_id,
        funnel_events.subject_key,
        funnel_events.event_number,
        funnel_events.entered_at,
    from funnel_events
    inner join funnels
        on funnel_events.funnel_id = funnels.funnel_id
    where
        (
            funnel_events.stage_kind = 'lost'
            and funnel_events.lowest_stage_position is null
        )
        or (
            funnel_events.stage_kind = 'won'
            and funnels.subject_type in ('lead', 'opportunity')
        )
),

starts_with_closing as (
    select
        starts.funnel_id,
        starts.subject_key,
        starts.start_event_number,
        -- DuckDB's as-of join takes a null for less than all: nothing comes after this number.
        case
            when starts.window_ends_at is null or closings.entered_at <= starts.window_ends_at
                then coalesce(closings.event_number, 9223372036854775807)
            else 9223372036854775807
        end as closing_event_number,
        coalesce(starts.window_ends_at, cast('9999-12-31' as timestamp)) as window_ends_at,
    from starts
    asof left join closings
        on
            starts.subject_key = closings.subject_key
            and starts.start_event_number <= closings.event_number
),

starts_after_closing as (
    select
        starts_with_closing.*,
        openings.event_number as opening_number,
    from starts_with_closing
    asof left join openings
        on
            starts_with_closing.subject_key = openings.subject_key
            and starts_with_closing.closing_event_number < openings.event_number
),

-- Whatever else happens, what closes it and the end of the window end a journey.
latest_ends as (
    select
        starts_after_closing.funnel_id,
        starts_after_closing.subject_key,
        starts_after_closing.start_event_number,
        least(
            coalesce(starts_after_closing.opening_number, 9223372036854775807),
            coalesce(first_openings_of_instant.event_number, 9223372036854775807)
        ) as end_number,
    from starts_after_closing
    asof left join first_openings_of_instant
        on
            starts_after_closing.subject_key = first_openings_of_instant.subject_key
            and starts_after_closing.window_ends_at < first_openings_of_instant.entered_at
),

chain_steps as (
    select
        chain_id,
        funnel_id,
        subject_key,
        order_mode,
        start_event_number,
        unnest(event_numbers) as event_number,
        unnest(stage_positions) as stage_position,
    from chains
),

-- In any order, a chain begins to be one when all that is required below its start is there.
begun_chains as (
    select
        own_steps.chain_id,
        own_steps.funnel_id,
        own_steps.subject_key,
        own_steps.start_event_number,
        max(chain_steps.event_number) as begun_number,
    from chain_steps as own_steps
    inner join chain_steps
        on
            own_steps.chain_id = chain_steps.chain_id
            and own_steps.stage_position >= chain_steps.stage_position
    inner join funnel_stages
        on
            chain_steps.funnel_id = funnel_stages.funnel_id
            and chain_steps.stage_position = funnel_stages.stage_position
    where
        own_steps.order_mode = 'any'
        and own_steps.event_number = own_steps.start_event_number
        and (
            not funnel_stages.is_optional
            or chain_steps.stage_position = own_steps.stage_position
        )
    group by all
),

begun_starts as (
    select
        funnel_id,
        subject_key,
        start_event_number,
        min(begun_number) as begun_number,
    from begun_chains
    group by all
),

-- A won stage is there when all that is required up to it is, in whatever order that came.
won_steps as (
    select
        won_steps.chain_id,
        won_steps.funnel_id,
        won_steps.subject_key,
        won_steps.start_event_number,
        won_steps.stage_position,
        max(chain_steps.event_number) as won_event_number,
    from chain_steps as won_steps
    inner join funnel_stages as won_stages
        on
            won_steps.funnel_id = won_stages.funnel_id
            and won_steps.stage_position = won_stages.stage_position
            and won_stages.stage_kind = 'won'
    inner join chain_steps
        on
            won_steps.chain_id = chain_steps.chain_id
            and won_steps.stage_position >= chain_steps.stage_position
    inner join funnel_stages
        on
            chain_steps.funnel_id = funnel_stages.funnel_id
            and chain_steps.stage_position = funnel_stages.stage_position
    where
        not funnel_stages.is_optional
        or chain_steps.stage_position = won_steps.stage_position
    group by all
),

chain_wins as (
    select
        chain_id,
        funnel_id,
        subject_key,
        start_event_number,
        min(won_event_number) as won_event_number,
    from won_steps
    group by all
),

ends_after_win as (
    select
        chain_wins.funnel_id,
        chain_wins.subject_key,
        chain_wins.start_event_number,
        openings.event_number as end_number,
    from chain_wins
    asof join openings
        on
            chain_wins.subject_key = openings.subject_key
            and chain_wins.won_event_number < openings.event_number
),

earlier_ends as (
    select distinct
        ends_after_win.funnel_id,
        ends_after_win.subject_key,
        ends_after_win.start_event_number,
        ends_after_win.end_number,
    from ends_after_win
    inner join latest_ends
        on
            ends_after_win.subject_key = latest_ends.subject_key
            and ends_after_win.start_event_number = latest_ends.start_event_number
            and ends_after_win.end_number < latest_ends.end_number
),

-- What a chain is up to an earlier end: its entries before, as far as they hang together.
first_gaps as (
    select
        chain_steps.chain_id,
        earlier_ends.end_number,
        coalesce(
            min(chain_steps.stage_position) filter (
                where
                chain_steps.event_number >= earlier_ends.end_number
                and not (chain_steps.order_mode = 'any' and funnel_stages.is_optional)
            ),
            33
        ) as stage_position,
    from chain_steps
    inner join earlier_ends
        on
            chain_steps.subject_key = earlier_ends.subject_key
            and chain_steps.start_event_number = earlier_ends.start_event_number
    inner join funnel_stages
        on
            chain_steps.funnel_id = funnel_stages.funnel_id
            and chain_steps.stage_position = funnel_stages.stage_position
    group by all
),

shortened_chains as (
    select
        chain_steps.chain_id,
        first_gaps.end_number,
        max(chain_steps.stage_position) as last_stage_position,
        cast(count(*) as integer) as stages_entered,
        array_agg(chain_steps.event_number order by chain_steps.stage_position) as event_numbers,
        array_agg(chain_steps.stage_position order by chain_steps.stage_position)
            as stage_positions,
    from chain_steps
    inner join first_gaps
        on
            chain_steps.chain_id = first_gaps.chain_id
            and chain_steps.stage_position < first_gaps.stage_position
            and chain_steps.event_number < first_gaps.end_number
    group by all
    having bool_or(chain_steps.event_number = chain_steps.start_event_number)
),

earlier_chains as (
    select distinct
        chains.start_entry_id,
        chains.funnel_id,
        chains.subject_key,
        chains.start_event_number,
        shortened_chains.end_number,
        coalesce(chain_wins.won_event_number < shortened_chains.end_number, false) as is_ended,
        shortened_chains.last_stage_position,
        shortened_chains.stages_entered,
        shortened_chains.event_numbers,
        shortened_chains.stage_positions,
        chains.window_ends_at,
    from shortened_chains
    inner join chains
        on shortened_chains.chain_id = chains.chain_id
    left join chain_wins
        on shortened_chains.chain_id = chain_wins.chain_id
),

earlier_chains_with_next as (
    select
        *,
        lead(event_numbers) over in_order as next_event_numbers,
        lead(stage_positions) over in_order as next_stage_positions,
    from earlier_chains
    window
        in_order as (
            partition by start_entry_id, end_number
            order by list_zip(event_numbers, stage_positions)
        )
),

-- A chain that could go on is the beginning of others, not a candidate of its own.
finished_earlier_chains as (
    select *
    from earlier_chains_with_next
    where
        next_event_numbers is null
        or list_slice(next_event_numbers, 1, stages_entered) != event_numbers
        or list_slice(next_stage_positions, 1, stages_entered) != stage_positions
),

journey_chains as (
    select
        start_entry_id,
        funnel_id,
        subject_key,
        start_event_number,
        end_number,
        is_ended,
        last_stage_position,
        stages_entered,
        event_numbers,
        stage_positions,
        window_ends_at,
    from finished_earlier_chains

    union all

    select
        chains.start_entry_id,
        chains.funnel_id,
        chains.subject_key,
        chains.start_event_number,
        latest_ends.end_number,
        true as is_ended,
        chains.last_stage_position,
        chains.stages_entered,
        chains.event_numbers,
        chains.stage_positions,
        chains.window_ends_at,
    from chains
    inner join latest_ends
        on
            chains.subject_key = latest_ends.subject_key
            and chains.start_event_number = latest_ends.start_event_number
)

select
    journey_chains.start_entry_id,
    journey_chains.funnel_id,
    journey_chains.subject_key,
    journey_chains.start_event_number,
    journey_chains.end_number,
    journey_chains.is_ended,
    starts.is_first_stage,
    coalesce(begun_starts.begun_number, journey_chains.start_event_number) as begun_number,
    journey_chains.last_stage_position,
    journey_chains.stages_entered,
    journey_chains.event_numbers,
    journey_chains.stage_positions,
    journey_chains.window_ends_at,
from journey_chains
inner join starts
    on
        journey_chains.subject_key = starts.subject_key
        and journey_chains.start_event_number = starts.start_event_number
left join begun_starts
    on
        journey_chains.subject_key = begun_starts.subject_key
        and journey_chains.start_event_number = begun_starts.start_event_number
