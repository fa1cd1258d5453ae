with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('dim_funnels') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        cell_id,
        furthest_stage_id,
        ended_at,
    from {{ ref('int_journey_cells') }}
    where outcome in ('lost', 'abandoned')
),

served_events as (
    select
        funnel_id,
        subject_id,
        stage_position,
        entered_at,
    from {{ ref('int_entry_instants') }}
    where entered_at is not null
),

subject_evidence as (
    select
        subject_type,
        subject_id,
        evidence_type,
        evidence_name,
        occurred_at,
    from {{ ref('int_subject_evidence') }}
),

dated_journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        ended_at,
    from journeys
    where ended_at is not null
),

last_entries as (
    select
        dated_journeys.funnel_id,
        dated_journeys.subject_id,
        dated_journeys.journey_number,
        dated_journeys.ended_at,
        served_events.entered_at as last_entered_at,
    from dated_journeys
    asof join served_events
        on
            dated_journeys.funnel_id = served_events.funnel_id
            and dated_journeys.subject_id = served_events.subject_id
            and dated_journeys.ended_at >= served_events.entered_at
),

ladder_events as (
    select
        funnel_id,
        subject_id,
        entered_at,
    from served_events
    where stage_position is not null
),

returns as (
    select
        dated_journeys.funnel_id,
        dated_journeys.subject_id,
        dated_journeys.journey_number,
        {{ microseconds_between('dated_journeys.ended_at', 'ladder_events.entered_at') }}
            as microseconds_to_return,
    from dated_journeys
    asof join ladder_events
        on
            dated_journeys.funnel_id = ladder_events.funnel_id
            and dated_journeys.subject_id = ladder_events.subject_id
            and dated_journeys.ended_at < ladder_events.entered_at
),

typed_entries as (
    select
        funnels.subject_type,
        last_entries.funnel_id,
        last_entries.subject_id,
        last_entries.journey_number,
        last_entries.last_entered_at,
    from last_entries
    inner join funnels
        on last_entries.funnel_id = funnels.funnel_id
),

next_instants as (
    select
        typed_entries.subject_type,
        typed_entries.funnel_id,
        typed_entries.subject_id,
        typed_entries.journey_number,
        typed_entries.last_entered_at,
        subject_evidence.occurred_at,
    from typed_entries
    asof join subject_evidence
        on
            typed_entries.subject_type = subject_evidence.subject_type
            and typed_entries.subject_id = subject_evidence.subject_id
            and typed_entries.last_entered_at < subject_evidence.occurred_at
),

next_evidence as (
    select
        next_instants.funnel_id,
        next_instants.subject_id,
        next_instants.journey_number,
        subject_evidence.evidence_type,
        subject_evidence.evidence_name,
        {{ microseconds_between('next_instants.last_entered_at', 'next_instants.occurred_at') }}
            as microseconds_to_next,
    from next_instants
    inner join subject_evidence
        on
            next_instants.subject_type = subject_evidence.subject_type
            and next_instants.subject_id = subject_evidence.subject_id
            and next_instants.occurred_at = subject_evidence.occurred_at
    qualify
        row_number() over (
            partition by
                next_instants.funnel_id,
                next_instants.subject_id,
                next_instants.journey_number
            order by subject_evidence.evidence_type, subject_evidence.evidence_name
        ) = 1
)

select
    journeys.funnel_id,
    journeys.subject_id,
    journeys.journey_number,
    journeys.cell_id,
    journeys.furthest_stage_id as stage_id,
    case
        when last_entries.funnel_id is null then 'undated'
        else coalesce(next_evidence.evidence_type, 'nothing')
    end as next_type,
    case
        when last_entries.funnel_id is null then '(undated)'
        else coalesce(next_evidence.evidence_name, 'nothing')
    end as next_name,
    next_evidence.microseconds_to_next,
    returns.microseconds_to_return,
from journeys
left join last_entries
    on
        journeys.funnel_id = last_entries.funnel_id
        and journeys.subject_id = last_entries.subject_id
        and journeys.journey_number = last_entries.journey_number
left join next_evidence
    on
        journeys.funnel_id = next_evidence.funnel_id
        and journeys.subject_id = next_evidence.subject_id
        and journeys.journey_number = next_evidence.journey_number
left join returns
    on
        journeys.funnel_id = returns.funnel_id
        and journeys.subject_id = returns.subject_id
        and journeys.journey_number = returns.journey_number
