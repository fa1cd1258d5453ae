with

candidate_chains as (
    select
        start_entry_id,
        funnel_id,
        subject_key,
        start_event_number,
        end_number,
        is_of_several,
        is_first_stage,
        event_numbers,
        stage_positions,
    from {{ ref('int_candidate_chains') }}
),

void_chains as (
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
    from {{ ref('int_void_chains') }}
),

best_chains as (
    select
        funnel_id,
        subject_key,
        start_event_number,
        end_number,
    from {{ ref('int_best_chains') }}
),

chain_journeys as (
    select distinct
        funnel_id,
        subject_key,
        start_event_number,
    from {{ ref('int_chain_journey_entries') }}
),

journeys as (
    select
        chain_journeys.funnel_id,
        chain_journeys.subject_key,
        chain_journeys.start_event_number,
        best_chains.end_number,
    from chain_journeys
    inner join best_chains
        on
            chain_journeys.subject_key = best_chains.subject_key
            and chain_journeys.start_event_number = best_chains.start_event_number
),

judged_chains as (
    select
        candidate_chains.*,
        void_chains.start_entry_id is null as is_valid,
    from candidate_chains
    left join void_chains
        on
            candidate_chains.start_entry_id = void_chains.start_entry_id
            and candidate_chains.end_number = void_chains.end_number
            and candidate_chains.event_numbers = void_chains.event_numbers
            and candidate_chains.stage_positions = void_chains.stage_positions
),

excluded_subjects as (
    select
        funnel_id,
        subject_key,
        min(start_event_number) as start_event_number,
    from judged_chains
    where not is_of_several
    group by all
    having not bool_or(is_valid)
),

-- Without a valid chain there is no win, so that only the last of its ends is one it comes to.
void_starts as (
    select
        funnel_id,
        subject_key,
        start_event_number,
        is_first_stage,
        max(end_number) as end_number,
    from judged_chains
    where is_of_several
    group by all
    having not bool_or(is_valid)
),

-- A start within another journey would not have opened one.
passed_over_starts as (
    select
        void_starts.funnel_id,
        void_starts.subject_key,
        void_starts.start_event_number,
        void_starts.end_number,
    from void_starts
    asof left join journeys
        on
            void_starts.subject_key = journeys.subject_key
            and void_starts.start_event_number > journeys.start_event_number
    where
        journeys.funnel_id is null
        or (
            void_starts.is_first_stage
            and void_starts.start_event_number >= journeys.end_number
        )
),

exclusions as (
    select
        excluded_subjects.funnel_id,
        excluded_subjects.subject_key,
        excluded_subjects.start_event_number,
        void_chains.after_stage_id,
        void_chains.before_stage_id,
        void_chains.match_value,
        void_chains.excluded_at,
    from excluded_subjects
    inner join void_chains
        on excluded_subjects.subject_key = void_chains.subject_key

    union all

    select
        passed_over_starts.funnel_id,
        passed_over_starts.subject_key,
        passed_over_starts.start_event_number,
        void_chains.after_stage_id,
        void_chains.before_stage_id,
        void_chains.match_value,
        void_chains.excluded_at,
    from passed_over_starts
    inner join void_chains
        on
            passed_over_starts.subject_key = void_chains.subject_key
            and passed_over_starts.start_event_number = void_chains.start_event_number
            and passed_over_starts.end_number = void_chains.end_number
)

select
    funnel_id,
    subject_key,
    start_event_number,
    after_stage_id,
    before_stage_id,
    match_value,
    min(excluded_at) as excluded_at,
from exclusions
group by all
