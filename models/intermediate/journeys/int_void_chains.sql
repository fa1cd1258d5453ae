with

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('funnel_stages') }}
),

exclusions as (
    select
        exclusions.funnel_id,
        exclusions.after_stage_id,
        exclusions.before_stage_id,
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
        subject_key,
        event_number,
        evidence_name,
        entered_at,
    from {{ ref('int_funnel_events') }}
    where entered_at is not null
),

candidate_chains as (
    select
        start_entry_id,
        funnel_id,
        subject_key,
        start_event_number,
        end_number,
        event_numbers,
        stage_positions,
        window_ends_at,
    from {{ ref('int_candidate_chains') }}
),

excluding_events as (
    select
        exclusions.after_stage_id,
        exclusions.before_stage_id,
        exclusions.match_value,
        exclusions.after_stage_position,
        exclusions.before_stage_position,
        funnel_events.funnel_id,
        funnel_events.subject_key,
        funnel_events.event_number,
        funnel_events.entered_at,
    from funnel_events
    inner join exclusions
        on
            funnel_events.funnel_id = exclusions.funnel_id
            and funnel_events.evidence_name = exclusions.match_value
),

void_chains as (
    select
        candidate_chains.start_entry_id,
        candidate_chains.funnel_id,
        candidate_chains.subject_key,
        candidate_chains.start_event_number,
        candidate_chains.end_number,
        candidate_chains.event_numbers,
        candidate_chains.stage_positions,
        excluding_events.after_stage_id,
        excluding_events.before_stage_id,
        excluding_events.match_value,
        min(excluding_events.entered_at) as excluded_at,
    from candidate_chains
    inner join excluding_events
        on
            candidate_chains.subject_key = excluding_events.subject_key
            and list_contains(
                candidate_chains.stage_positions, excluding_events.after_stage_position
            )
    where
        excluding_events.event_number > candidate_chains.event_numbers[
            list_position(candidate_chains.stage_positions, excluding_events.after_stage_position)
        ]
        -- What comes after a journey is over is no longer its own.
        and excluding_events.event_number < candidate_chains.end_number
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
    group by all
)

select
    start_entry_id,
    funnel_id,
    subject_key,
    start_event_number,
    end_number,
    event_numbers,
    stage_positions,
    after_stage_id,
    before_stage_id,
    match_value,
    excluded_at,
from void_chains
