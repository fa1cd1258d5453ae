with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('dim_funnels') }}
),

visits as (
    select
        funnel_id,
        subject_id,
        entered_at,
    from {{ ref('fct_stage_visits') }}
    where entered_at is not null
),

evidence as (
    select
        evidence_type,
        evidence_name,
        visitor_id,
        session_id,
        user_id,
        person_id,
        account_id,
        record_id,
        is_creation,
        occurred_at,
    from {{ ref('int_evidence') }}
    where occurred_at is not null
),

record_activities as (
    select
        record_id,
        activity_type,
        occurred_at,
    from {{ ref('int_record_activities') }}
),

subjects as (
    select
        funnels.subject_type,
        visits.subject_id,
        min(visits.entered_at) as first_entered_at,
    from visits
    inner join funnels
        on visits.funnel_id = funnels.funnel_id
    group by all
),

subject_types as (
    select distinct subject_type,
    from funnels
),

evidence_of_subjects as (
    select
        subject_types.subject_type,
        {{ subject_id('subject_types.subject_type') }} as subject_id,
        evidence.evidence_type,
        case
            when evidence.is_creation then '(created)'
            else coalesce(evidence.evidence_name, '(missing)')
        end as evidence_name,
        evidence.occurred_at,
    from evidence
    cross join subject_types

    union all

    select
        subject_types.subject_type,
        record_activities.record_id as subject_id,
        'activity' as evidence_type,
        coalesce(record_activities.activity_type, '(missing)') as evidence_name,
        record_activities.occurred_at,
    from record_activities
    cross join subject_types
    where subject_types.subject_type in ('lead', 'opportunity')
)

-- Of the evidence, much is of nobody in a funnel, or comes before the first visit.
select
    evidence_of_subjects.subject_type,
    evidence_of_subjects.subject_id,
    evidence_of_subjects.evidence_type,
    evidence_of_subjects.evidence_name,
    evidence_of_subjects.occurred_at,
from evidence_of_subjects
inner join subjects
    on
        evidence_of_subjects.subject_type = subjects.subject_type
        and evidence_of_subjects.subject_id = subjects.subject_id
where evidence_of_subjects.occurred_at > subjects.first_entered_at
