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

excluded_subjects as (
    select distinct
        funnel_id,
        subject_id,
    from {{ ref('fct_journey_exclusions') }}
)

select
    visited_subjects.funnel_id,
    visited_subjects.subject_id,
    case
        when journeys.funnel_id is not null then 'with_journeys'
        when excluded_subjects.funnel_id is not null then 'excluded'
        else 'never_started'
    end as subject_state,
from visited_subjects
left join journeys
    on
        visited_subjects.funnel_id = journeys.funnel_id
        and visited_subjects.subject_id = journeys.subject_id
left join excluded_subjects
    on
        visited_subjects.funnel_id = excluded_subjects.funnel_id
        and visited_subjects.subject_id = excluded_subjects.subject_id
