with

funnels as (
    select
        funnel_id,
        entry_policy,
        count_by,
        window_hours,
    from {{ ref('funnels') }}
    where order_mode != 'furthest'
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
        stage_kind,
        is_optional,
    from {{ ref('funnel_stages') }}
),

exclusions as (
    select
        exclusions.funnel_id,
        exclusions.match_value,
        after_stages.stage_position as after_stage_position,
        before_stages.stage_position as before_stage_position,
    from {{ ref('funnel_exclusions') }} as exclusions
    inner join funnel_stages as after_stages
        on
            exclusions.funnel_id = after_stages.funnel_id
            and exclusions.after_stage_id = after_stages.stage_id
    inner join funnel_stages as before_stages
        on
            exclusions.funnel_id = before_stages.funnel_id
            and exclusions.before_stage_id = before_stages.stage_id
),

funnel_events as (
    select
        funnel_id,
        subject_id,
        event_number,
        stage_position,
        stage_kind,
        evidence_name,
        entered_at,
    from {{ ref('int_funnel_events') }}
    where entered_at is not null
),

all_chains as (
    select
        start_entry_id,
        funnel_id,
        subject_id,
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
        subject_id,
        last_stage_position,
        stages_entered,
        event_numbers,
        stage_positions,
        window_ends_at,
    from {{ ref('int_any_order_chains') }}
),

candidate_chains as (
    select
        all_chains.*,
        list_min(all_chains.event_numbers) as start_event_number,
        funnels.count_by,
        funnels.window_hours,
    from all_chains
    inner join funnels
        on all_chains.funnel_id = funnels.funnel_id
    -- In any order, the first entry is known once it is known which entries count.
    qualify
        funnels.entry_policy = 'best'
        or funnels.count_by = 'journey'
        or list_min(all_chains.event_numbers) = min(list_min(all_chains.event_numbers)) over (
            partition by all_chains.funnel_id, all_chains.subject_id
        )
),

excluding_events as (
    select
        exclusions.after_stage_position,
        exclusions.before_stage_position,
        funnel_events.funnel_id,
        funnel_events.subject_id,
        funnel_events.event_number,
        funnel_events.entered_at,
    from funnel_events
    inner join exclusions
        on
            funnel_events.funnel_id = exclusions.funnel_id
            and funnel_events.evidence_name = exclusions.match_value
),

void_chains as (
    select distinct
        candidate_chains.start_entry_id,
        candidate_chains.event_numbers,
    from candidate_chains
    inner join excluding_events
        on
            candidate_chains.funnel_id = excluding_events.funnel_id
            and candidate_chains.subject_id = excluding_events.subject_id
            and list_contains(
                candidate_chains.stage_positions, excluding_events.after_stage_position
            )
    where
        excluding_events.event_number > candidate_chains.event_numbers[
            list_position(candidate_chains.stage_positions, excluding_events.after_stage_position)
        ]
        and case
            when
                list_contains(
                    candidate_chains.stage_positions, excluding_events.before_stage_position
                )
                then excluding_events.event_number < candidate_chains.event_numbers[
                    list_position(
                        candidate_chains.stage_positions, excluding_events.before_stage_position
                    )
                ]
            else
                candidate_chains.window_ends_at is null
                or excluding_events.entered_at <= candidate_chains.window_ends_at
        end
),

valid_chains as (
    select
        candidate_chains.start_entry_id,
        candidate_chains.funnel_id,
        candidate_chains.subject_id,
        candidate_chains.last_stage_position,
        candidate_chains.stages_entered,
        candidate_chains.event_numbers,
        candidate_chains.stage_positions,
        candidate_chains.start_event_number,
        candidate_chains.count_by,
        candidate_chains.window_hours,
    from candidate_chains
    left join void_chains
        on
            candidate_chains.start_entry_id = void_chains.start_entry_id
            and candidate_chains.event_numbers = void_chains.event_numbers
    where void_chains.start_entry_id is null
),

-- Highest position, then most stages, then earliest; of each subject, or of each start where one
-- subject may have several journeys.
best_chains as (
    select *
    from valid_chains
    qualify
        row_number() over (
            partition by
                funnel_id,
                subject_id,
                case count_by when 'journey' then start_event_number end
            order by
                last_stage_position desc,
                stages_entered desc,
                start_event_number asc,
                event_numbers asc
        ) = 1
),

dated_chains as (
    select
        best_chains.funnel_id,
        best_chains.subject_id,
        best_chains.count_by,
        best_chains.start_event_number,
        best_chains.event_numbers,
        best_chains.stage_positions,
        min(funnel_events.entered_at) as entered_at,
        {{ hours_after('min(funnel_events.entered_at)', 'min(best_chains.window_hours)') }}
            as window_ends_at,
    from best_chains
    inner join funnel_events
        on
            best_chains.funnel_id = funnel_events.funnel_id
            and best_chains.subject_id = funnel_events.subject_id
            and best_chains.start_event_number = funnel_events.event_number
    group by all
),

chain_entries as (
    select
        funnel_id,
        subject_id,
        start_event_number,
        unnest(event_numbers) as event_number,
        unnest(stage_positions) as stage_position,
    from dated_chains
    where count_by = 'journey'
),

won_stages as (
    select
        chain_entries.funnel_id,
        chain_entries.subject_id,
        chain_entries.start_event_number,
        min(chain_entries.stage_position) as won_position,
    from chain_entries
    inner join funnel_stages
        on
            chain_entries.funnel_id = funnel_stages.funnel_id
            and chain_entries.stage_position = funnel_stages.stage_position
    where funnel_stages.stage_kind = 'won'
    group by all
),

-- Of stages in any order, the win is there when the last required one up to it is.
wins as (
    select
        chain_entries.funnel_id,
        chain_entries.subject_id,
        chain_entries.start_event_number,
        max(chain_entries.event_number) as won_event_number,
    from chain_entries
    inner join won_stages
        on
            chain_entries.funnel_id = won_stages.funnel_id
            and chain_entries.subject_id = won_stages.subject_id
            and chain_entries.start_event_number = won_stages.start_event_number
            and chain_entries.stage_position <= won_stages.won_position
    inner join funnel_stages
        on
            chain_entries.funnel_id = funnel_stages.funnel_id
            and chain_entries.stage_position = funnel_stages.stage_position
    where not funnel_stages.is_optional or chain_entries.stage_position = won_stages.won_position
    group by all
),

losses as (
    select
        funnel_id,
        subject_id,
        event_number,
        entered_at,
    from funnel_events
    where stage_kind = 'lost'
),

chains_with_loss as (
    select
        dated_chains.funnel_id,
        dated_chains.subject_id,
        dated_chains.start_event_number,
        dated_chains.window_ends_at,
        case
            when
                dated_chains.window_ends_at is null
                or losses.entered_at <= dated_chains.window_ends_at
                then losses.event_number
        end as lost_event_number,
    from dated_chains
    asof left join losses
        on
            dated_chains.funnel_id = losses.funnel_id
            and dated_chains.subject_id = losses.subject_id
            and dated_chains.start_event_number < losses.event_number
    where dated_chains.count_by = 'journey'
),

chain_ends as (
    select
        chains_with_loss.funnel_id,
        chains_with_loss.subject_id,
        chains_with_loss.start_event_number,
        coalesce(wins.won_event_number, chains_with_loss.lost_event_number) as end_event_number,
        chains_with_loss.window_ends_at,
    from chains_with_loss
    left join wins
        on
            chains_with_loss.funnel_id = wins.funnel_id
            and chains_with_loss.subject_id = wins.subject_id
            and chains_with_loss.start_event_number = wins.start_event_number
),

-- Only a first-stage entry opens a further journey.
first_stage_starts as (
    select
        dated_chains.funnel_id,
        dated_chains.subject_id,
        dated_chains.start_event_number,
        dated_chains.entered_at,
    from dated_chains
    where
        dated_chains.count_by = 'journey'
        and dated_chains.stage_positions[1] = 1
        and dated_chains.event_numbers[1] = dated_chains.start_event_number
),

next_starts_after_end as (
    select
        chain_ends.funnel_id,
        chain_ends.subject_id,
        chain_ends.start_event_number,
        first_stage_starts.start_event_number as next_start_event_number,
    from chain_ends
    asof join first_stage_starts
        on
            chain_ends.funnel_id = first_stage_starts.funnel_id
            and chain_ends.subject_id = first_stage_starts.subject_id
            and chain_ends.end_event_number < first_stage_starts.start_event_number
    where chain_ends.end_event_number is not null
),

first_starts_of_instant as (
    select
        funnel_id,
        subject_id,
        entered_at,
        min(start_event_number) as start_event_number,
    from first_stage_starts
    group by all
),

next_starts_after_window as (
    select
        chain_ends.funnel_id,
        chain_ends.subject_id,
        chain_ends.start_event_number,
        first_starts_of_instant.start_event_number as next_start_event_number,
    from chain_ends
    asof join first_starts_of_instant
        on
            chain_ends.funnel_id = first_starts_of_instant.funnel_id
            and chain_ends.subject_id = first_starts_of_instant.subject_id
            and chain_ends.window_ends_at < first_starts_of_instant.entered_at
    where chain_ends.end_event_number is null and chain_ends.window_ends_at is not null
),

next_starts as (
    select * from next_starts_after_end
    union all
    select * from next_starts_after_window
)

select
    dated_chains.funnel_id,
    dated_chains.subject_id,
    dated_chains.start_event_number,
    next_starts.next_start_event_number,
    dated_chains.event_numbers,
    dated_chains.stage_positions,
from dated_chains
left join next_starts
    on
        dated_chains.funnel_id = next_starts.funnel_id
        and dated_chains.subject_id = next_starts.subject_id
        and dated_chains.start_event_number = next_starts.start_event_number
