with

funnels as (
    select
        funnel_id,
        order_mode,
        entry_policy,
        count_by,
    from {{ ref('funnels') }}
    where order_mode != 'furthest'
),

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

-- The one journey of a subject comes to no end that another could begin after.
subject_chains as (
    select
        all_chains.start_entry_id,
        all_chains.funnel_id,
        all_chains.subject_id,
        funnels.order_mode,
        list_min(all_chains.event_numbers) as start_event_number,
        9223372036854775807 as end_number,
        false as is_of_several,
        true as is_ended,
        false as is_first_stage,
        list_min(all_chains.event_numbers) as begun_number,
        all_chains.last_stage_position,
        all_chains.stages_entered,
        all_chains.event_numbers,
        all_chains.stage_positions,
        all_chains.window_ends_at,
    from all_chains
    inner join funnels
        on all_chains.funnel_id = funnels.funnel_id
    where funnels.count_by = 'subject'
    -- In any order, the first entry is known once it is known which entries count.
    qualify
        funnels.entry_policy = 'best'
        or list_min(all_chains.event_numbers) = min(list_min(all_chains.event_numbers)) over (
            partition by all_chains.funnel_id, all_chains.subject_id
        )
),

candidate_chains as (
    select * from subject_chains

    union all

    select
        journey_chains.start_entry_id,
        journey_chains.funnel_id,
        journey_chains.subject_id,
        funnels.order_mode,
        journey_chains.start_event_number,
        journey_chains.end_number,
        true as is_of_several,
        journey_chains.is_ended,
        journey_chains.is_first_stage,
        journey_chains.begun_number,
        journey_chains.last_stage_position,
        journey_chains.stages_entered,
        journey_chains.event_numbers,
        journey_chains.stage_positions,
        journey_chains.window_ends_at,
    from {{ ref('int_journey_chains') }} as journey_chains
    inner join funnels
        on journey_chains.funnel_id = funnels.funnel_id
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
        candidate_chains.end_number,
        candidate_chains.event_numbers,
        candidate_chains.stage_positions,
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
),

valid_chains as (
    select candidate_chains.*
    from candidate_chains
    left join void_chains
        on
            candidate_chains.start_entry_id = void_chains.start_entry_id
            and candidate_chains.end_number = void_chains.end_number
            and candidate_chains.event_numbers = void_chains.event_numbers
            and candidate_chains.stage_positions = void_chains.stage_positions
    where void_chains.start_entry_id is null
),

-- A journey is over at the earliest end that one of its chains comes to.
journey_ends as (
    select
        funnel_id,
        subject_id,
        start_event_number,
        min(begun_number) as begun_number,
        min(end_number) as end_number,
    from valid_chains
    where is_of_several and is_ended
    group by all
),

-- In any order, what begins with a later entry may be over before what is needed for an earlier
-- start has come.
begun_journeys as (
    select *
    from journey_ends
    qualify
        begun_number < coalesce(
            min(end_number) over (
                partition by funnel_id, subject_id
                order by start_event_number
                rows between 1 following and unbounded following
            ),
            end_number
        )
),

chains_until_end as (
    select *
    from valid_chains
    where not is_of_several

    union all

    select valid_chains.*
    from valid_chains
    inner join begun_journeys
        on
            valid_chains.funnel_id = begun_journeys.funnel_id
            and valid_chains.subject_id = begun_journeys.subject_id
            and valid_chains.start_event_number = begun_journeys.start_event_number
            and valid_chains.end_number = begun_journeys.end_number
    where valid_chains.is_of_several
),

-- Highest position, then most stages, then earliest; of each subject, or of each start where one
-- subject may have several journeys.
best_chains as (
    select *
    from chains_until_end
    qualify
        row_number() over (
            partition by
                funnel_id,
                subject_id,
                case when is_of_several then start_event_number end
            order by
                last_stage_position desc,
                stages_entered desc,
                start_event_number asc,
                case when order_mode = 'any' then list_sort(event_numbers) end asc nulls last,
                case when order_mode = 'any' then stage_positions end asc nulls last,
                event_numbers asc
        ) = 1
),

first_stage_starts as (
    select
        funnel_id,
        subject_id,
        start_event_number,
    from best_chains
    where is_first_stage
),

next_starts as (
    select
        best_chains.funnel_id,
        best_chains.subject_id,
        best_chains.start_event_number,
        first_stage_starts.start_event_number as next_start_event_number,
    from best_chains
    asof join first_stage_starts
        on
            best_chains.funnel_id = first_stage_starts.funnel_id
            and best_chains.subject_id = first_stage_starts.subject_id
            and best_chains.end_number <= first_stage_starts.start_event_number
)

select
    best_chains.funnel_id,
    best_chains.subject_id,
    best_chains.start_event_number,
    next_starts.next_start_event_number,
    best_chains.event_numbers,
    best_chains.stage_positions,
from best_chains
left join next_starts
    on
        best_chains.funnel_id = next_starts.funnel_id
        and best_chains.subject_id = next_starts.subject_id
        and best_chains.start_event_number = next_starts.start_event_number
