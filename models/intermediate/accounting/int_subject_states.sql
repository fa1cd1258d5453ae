with

visited_subjects as (
    select distinct
        funnel_id,
        subject_id,
    from {{ ref('fct_stage_visits') }}
),

journeys as (
    select distinct
        funnel_id,
        subject_id,
    from {{ ref('fct_journeys') }}
),

starting_subjects as (
    select
        funnel_id,
        subject_id,
    from {{ ref('int_chain_starts') }}

    union

    select
        funnel_id,
        subject_id,
    from {{ ref('int_any_order_candidates') }}
    where stage_position = 1
)

select
    visited_subjects.funnel_id,
    visited_subjects.subject_id,
    case
        when journeys.funnel_id is not null then 'with_journeys'
        when starting_subjects.funnel_id is not null then 'excluded'
        else 'never_started'
    end as subject_state,
from visited_subjects
left join journeys
    on
        visited_subjects.funnel_id = journeys.funnel_id
        and visited_subjects.subject_id = journeys.subject_id
left join starting_subjects
    on
        visited_subjects.funnel_id = starting_subjects.funnel_id
        and visited_subjects.subject_id = starting_subjects.subject_id
