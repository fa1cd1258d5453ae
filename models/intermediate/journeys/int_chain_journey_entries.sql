with recursive

best_chains as (
    select
        funnel_id,
        subject_key,
        start_event_number,
        next_start_event_number,
        event_numbers,
        stage_positions,
    from {{ ref('int_best_chains') }}
),

followed_starts as (
    select
        funnel_id,
        subject_key,
        cast(1 as integer) as journey_number,
        min(start_event_number) as start_event_number,
    from best_chains
    group by all

    union all

    select
        followed_starts.funnel_id,
        followed_starts.subject_key,
        followed_starts.journey_number + 1 as journey_number,
        best_chains.next_start_event_number as start_event_number,
    from followed_starts
    inner join best_chains
        on
            followed_starts.subject_key = best_chains.subject_key
            and followed_starts.start_event_number = best_chains.start_event_number
    -- A next start that were not later would never end.
    where best_chains.next_start_event_number > followed_starts.start_event_number
),

journey_entries as (
    select
        followed_starts.funnel_id,
        followed_starts.subject_key,
        followed_starts.journey_number,
        followed_starts.start_event_number,
        unnest(best_chains.event_numbers) as event_number,
        unnest(best_chains.stage_positions) as stage_position,
    from followed_starts
    inner join best_chains
        on
            followed_starts.subject_key = best_chains.subject_key
            and followed_starts.start_event_number = best_chains.start_event_number
)

select
    funnel_id,
    subject_key,
    journey_number,
    start_event_number,
    event_number,
    stage_position,
from journey_entries
