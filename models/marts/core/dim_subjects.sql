with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('funnels') }}
),

stage_visits as (
    select
        funnel_id,
        subject_id,
        entered_at,
    from {{ ref('fct_stage_visits') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        count(*) as journeys,
    from {{ ref('fct_journeys') }}
    group by all
),

subjects as (
    select
        funnel_id,
        subject_id,
        min(entered_at) as first_seen_at,
        max(entered_at) as last_seen_at,
        count(*) as stage_visits,
    from stage_visits
    group by all
)

select
    funnels.subject_type,
    subjects.subject_id,
    min(subjects.first_seen_at) as first_seen_at,
    max(subjects.last_seen_at) as last_seen_at,
    count(*) as funnels,
    cast(sum(coalesce(journeys.journeys, 0)) as bigint) as journeys,
    cast(sum(subjects.stage_visits) as bigint) as stage_visits,
from subjects
inner join funnels
    on subjects.funnel_id = funnels.funnel_id
left join journeys
    on
        subjects.funnel_id = journeys.funnel_id
        and subjects.subject_id = journeys.subject_id
group by funnels.subject_type, subjects.subject_id
