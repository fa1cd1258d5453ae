with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('dim_funnels') }}
),

-- Between the beginning of a journey and its first stage there is nothing.
cases as (
    select
        funnel_id,
        subject_id,
        journey_id,
        to_stage_id,
        entered_at,
        at_stage_from,
    from {{ ref('int_driver_cases') }}
    where entered_at < at_stage_from
),

subject_evidence as (
    select
        subject_type,
        subject_id,
        evidence_type,
        -- The status of an order may be of later.
        case when evidence_type = 'purchase' then '(any status)' else evidence_name end
            as evidence_name,
        occurred_at,
    from {{ ref('int_subject_evidence') }}
    -- What a record was called is no doing of anybody.
    where evidence_type in ('event', 'activity', 'purchase')
),

journeys as (
    select distinct
        funnels.subject_type,
        cases.funnel_id,
        cases.subject_id,
        cases.journey_id,
        cases.entered_at,
    from cases
    inner join funnels
        on cases.funnel_id = funnels.funnel_id
),

evidence_of_funnels as (
    select
        funnels.funnel_id,
        subject_evidence.subject_id,
        subject_evidence.evidence_type,
        subject_evidence.evidence_name,
        subject_evidence.occurred_at,
    from subject_evidence
    inner join funnels
        on subject_evidence.subject_type = funnels.subject_type
),

journey_evidence as (
    select
        journeys.journey_id,
        evidence_of_funnels.evidence_type,
        evidence_of_funnels.evidence_name,
        evidence_of_funnels.occurred_at,
    from evidence_of_funnels
    asof join journeys
        on
            evidence_of_funnels.funnel_id = journeys.funnel_id
            and evidence_of_funnels.subject_id = journeys.subject_id
            and evidence_of_funnels.occurred_at > journeys.entered_at
)

select
    cases.journey_id,
    cases.to_stage_id,
    journey_evidence.evidence_type,
    journey_evidence.evidence_name,
    count(*) as times,
from cases
inner join journey_evidence
    on
        cases.journey_id = journey_evidence.journey_id
        and cases.at_stage_from > journey_evidence.occurred_at
group by all
