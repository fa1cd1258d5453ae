with

funnels as (
    select
        funnel_id,
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
        subject_id,
        tie_policy,
        event_number,
        stage_position,
        lowest_stage_position,
        entered_at,
    from {{ ref('int_chain_entries') }}
),

lost_events as (
    select
        funnel_id,
        subject_id,
        event_number,
        entered_at,
    from {{ ref('int_funnel_events') }}
    where stage_kind = 'lost' and entered_at is not null
),

starts as (
    select
        chain_entries.entry_id,
        chain_entries.funnel_id,
        chain_entries.subject_id,
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
            partition by chain_entries.funnel_id, chain_entries.subject_id
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
        funnel_id,
        subject_id,
        event_number,
    from starts
    where stage_position = 1
),

-- The loss that ends a journey unless it wins, and the entry that opens another after it.
starts_with_loss as (
    select
        starts.*,
        lost_events.event_number as lost_event_number,
        lost_events.entered_at as lost_at,
    from starts
    asof left join lost_events
        on
            starts.funnel_id = lost_events.funnel_id
            and starts.subject_id = lost_events.subject_id
            and starts.event_number < lost_events.event_number
)

select
    starts_with_loss.entry_id,
    starts_with_loss.funnel_id,
    starts_with_loss.subject_id,
    starts_with_loss.event_number,
    starts_with_loss.stage_position,
    starts_with_loss.entered_at,
    starts_with_loss.window_ends_at,
    starts_with_loss.lost_event_number,
    starts_with_loss.lost_at,
    case when starts_with_loss.count_by = 'journey' then openings.event_number end
        as reopened_event_number,
from starts_with_loss
asof left join openings
    on
        starts_with_loss.funnel_id = openings.funnel_id
        and starts_with_loss.subject_id = openings.subject_id
        -- DuckDB's as-of join takes a null for less than all, so a start without a loss gets a
        -- number that nothing comes after.
        and coalesce(starts_with_loss.lost_event_number, 9223372036854775807)
        < openings.event_number
