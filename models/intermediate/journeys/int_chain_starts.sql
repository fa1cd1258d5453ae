with

funnels as (
    select
        funnel_id,
        subject_type,
        entry_policy,
        count_by,
        window_hours,
    from {{ ref('funnels') }}
),

stage_successors as (
    select
        funnel_id,
        next_stage_position,
    from {{ ref('int_stage_successors') }}
    where stage_position = 0
),

chain_entries as (
    select
        entry_id,
        funnel_id,
        subject_key,
        tie_policy,
        event_number,
        stage_position,
        lowest_stage_position,
        entered_at,
    from {{ ref('int_chain_entries') }}
),

-- A record is closed by any entry of a won stage; for all others a win is one of the chain. What
-- could serve a stage of the ladder is no loss.
closing_events as (
    select
        funnel_events.subject_key,
        funnel_events.event_number,
        funnel_events.entered_at,
    from {{ ref('int_funnel_events') }} as funnel_events
    inner join funnels
        on funnel_events.funnel_id = funnels.funnel_id
    where
        funnel_events.entered_at is not null
        and (
            (
                funnel_events.stage_kind = 'lost'
                and funnel_events.lowest_stage_position is null
            )
            or (
                funnel_events.stage_kind = 'won'
                and funnels.subject_type in ('lead', 'opportunity')
            )
        )
),

starts as (
    select
        chain_entries.entry_id,
        chain_entries.funnel_id,
        chain_entries.subject_key,
        chain_entries.event_number,
        chain_entries.stage_position,
        chain_entries.entered_at,
        funnels.count_by,
        {{ hours_after('chain_entries.entered_at', 'funnels.window_hours') }} as window_ends_at,
    from chain_entries
    inner join funnels
        on chain_entries.funnel_id = funnels.funnel_id
    inner join stage_successors
        on
            chain_entries.funnel_id = stage_successors.funnel_id
            and chain_entries.stage_position = stage_successors.next_stage_position
    -- Of entries alike in instant and stage, `funnel_order` knows no first.
    qualify
        funnels.entry_policy = 'best'
        or funnels.count_by = 'journey'
        or rank() over (
            partition by chain_entries.subject_key
            order by
                chain_entries.entered_at,
                case chain_entries.tie_policy
                    when 'funnel_order' then chain_entries.lowest_stage_position
                    else chain_entries.event_number
                end
        ) = 1
),

-- Only an entry of the first stage opens a further journey.
openings as (
    select
        subject_key,
        event_number,
    from starts
    where stage_position = 1
),

-- What closes a journey unless it wins before, and the entry that opens another after it.
starts_with_closing as (
    select
        starts.*,
        closing_events.event_number as closing_event_number,
        closing_events.entered_at as closed_at,
    from starts
    asof left join closing_events
        on
            starts.subject_key = closing_events.subject_key
            and starts.event_number <= closing_events.event_number
)

select
    starts_with_closing.entry_id,
    starts_with_closing.funnel_id,
    starts_with_closing.subject_key,
    starts_with_closing.event_number,
    starts_with_closing.stage_position,
    starts_with_closing.entered_at,
    starts_with_closing.window_ends_at,
    starts_with_closing.closing_event_number,
    starts_with_closing.closed_at,
    case when starts_with_closing.count_by = 'journey' then openings.event_number end
        as reopened_event_number,
from starts_with_closing
asof left join openings
    on starts_with_closing.subject_key = openings.subject_key
    -- DuckDB's as-of join takes a null for less than all, so a start without one gets a
    -- number that nothing comes after.
    and coalesce(starts_with_closing.closing_event_number, 9223372036854775807)
    < openings.event_number
