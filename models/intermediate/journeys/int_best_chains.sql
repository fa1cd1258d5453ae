with

candidate_chains as (
    select *
    from {{ ref('int_candidate_chains') }}
),

void_chains as (
    select distinct
        start_entry_id,
        end_number,
        event_numbers,
        stage_positions,
    from {{ ref('int_void_chains') }}
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
        subject_key,
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
                partition by subject_key
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
            valid_chains.subject_key = begun_journeys.subject_key
            and valid_chains.start_event_number = begun_journeys.start_event_number
            and valid_chains.end_number = begun_journeys.end_number
    where valid_chains.is_of_several
),

interchangeable_subjects as (
    select distinct
        funnel_id,
        subject_key,
    from {{ ref('int_funnel_events') }}
    where tie_policy = 'funnel_order' and (meets_several or held_value is not null)
),

numbered_instants as (
    select distinct
        funnel_events.funnel_id,
        funnel_events.subject_key,
        funnel_events.event_number,
        min(funnel_events.event_number) over (
            partition by
                funnel_events.subject_key, funnel_events.entered_at
        ) as instant_number,
    from {{ ref('int_funnel_events') }} as funnel_events
    inner join interchangeable_subjects
        on funnel_events.subject_key = interchangeable_subjects.subject_key
    where funnel_events.entered_at is not null
),

-- At one instant `funnel_order` knows stages alone: which of its events serves which is not to
-- decide before later instants do.
instants_of_subjects as (
    select
        funnel_id,
        subject_key,
        array_agg(instant_number order by event_number) as instant_numbers,
    from numbered_instants
    group by all
    having bool_or(instant_number != event_number)
),

chains_with_instants as (
    select
        chains_until_end.*,
        list_select(
            instants_of_subjects.instant_numbers, chains_until_end.event_numbers
        ) as instant_numbers,
    from chains_until_end
    left join instants_of_subjects
        on chains_until_end.subject_key = instants_of_subjects.subject_key
),

-- Highest position, then most stages, then earliest; of each subject, or of each start where one
-- subject may have several journeys.
best_chains as (
    select *
    from chains_with_instants
    qualify
        row_number() over (
            partition by
                subject_key,
                case when is_of_several then start_event_number end
            order by
                last_stage_position desc,
                stages_entered desc,
                list_sort(instant_numbers) asc nulls last,
                case
                    when instant_numbers is not null
                        then list_sort(list_zip(instant_numbers, stage_positions))
                end asc nulls last,
                start_event_number asc,
                case when order_mode = 'any' then list_sort(event_numbers) end asc nulls last,
                case
                    when order_mode = 'any'
                        then list_sort(list_zip(event_numbers, stage_positions))
                end asc nulls last,
                event_numbers asc,
                stage_positions asc
        ) = 1
),

first_stage_starts as (
    select
        funnel_id,
        subject_key,
        start_event_number,
    from best_chains
    where is_first_stage
),

next_starts as (
    select
        best_chains.funnel_id,
        best_chains.subject_key,
        best_chains.start_event_number,
        first_stage_starts.start_event_number as next_start_event_number,
    from best_chains
    asof join first_stage_starts
        on
            best_chains.subject_key = first_stage_starts.subject_key
            and best_chains.end_number <= first_stage_starts.start_event_number
)

select
    best_chains.funnel_id,
    best_chains.subject_key,
    best_chains.start_event_number,
    best_chains.end_number,
    next_starts.next_start_event_number,
    best_chains.event_numbers,
    best_chains.stage_positions,
from best_chains
left join next_starts
    on
        best_chains.subject_key = next_starts.subject_key
        and best_chains.start_event_number = next_starts.start_event_number
