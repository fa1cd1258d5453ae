{%- set names_of_a_stage = 50 -%}

with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('dim_funnels') }}
),

stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
),

visits as (
    select
        visits.funnel_id,
        funnels.subject_type,
        visits.subject_id,
        visits.visit_number,
        visits.stage_id,
        visits.is_current,
        visits.entered_at,
    from {{ ref('fct_stage_visits') }} as visits
    inner join funnels
        on visits.funnel_id = funnels.funnel_id
    where visits.entered_at is not null
),

-- Moves from stage to stage are in `conversion_matrix`.
subject_evidence as (
    select
        subject_type,
        subject_id,
        evidence_type,
        evidence_name,
        occurred_at,
    from {{ ref('int_subject_evidence') }}
    where evidence_type in ('event', 'purchase', 'activity')
),

next_instants as (
    select
        visits.subject_type,
        visits.funnel_id,
        visits.subject_id,
        visits.visit_number,
        visits.entered_at,
        subject_evidence.occurred_at,
    from visits
    asof join subject_evidence
        on
            visits.subject_type = subject_evidence.subject_type
            and visits.subject_id = subject_evidence.subject_id
            and visits.entered_at < subject_evidence.occurred_at
),

-- Of several at one instant, the first by type and name.
next_evidence as (
    select
        next_instants.funnel_id,
        next_instants.subject_id,
        next_instants.visit_number,
        subject_evidence.evidence_type,
        subject_evidence.evidence_name,
        {{ microseconds_between('next_instants.entered_at', 'next_instants.occurred_at') }}
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
                next_instants.visit_number
            order by subject_evidence.evidence_type, subject_evidence.evidence_name
        ) = 1
),

followed_visits as (
    select
        visits.funnel_id,
        visits.stage_id,
        coalesce(next_evidence.evidence_type, 'nothing') as next_type,
        coalesce(next_evidence.evidence_name, 'nothing') as next_name,
        visits.is_current,
        next_evidence.microseconds_to_next,
    from visits
    left join next_evidence
        on
            visits.funnel_id = next_evidence.funnel_id
            and visits.subject_id = next_evidence.subject_id
            and visits.visit_number = next_evidence.visit_number
),

names as (
    select
        funnel_id,
        stage_id,
        next_type,
        next_name,
        count(*) as visits,
    from followed_visits
    where next_type != 'nothing'
    group by all
),

rare_names as (
    select
        funnel_id,
        stage_id,
        next_type,
        next_name,
    from names
    qualify
        row_number() over (
            partition by funnel_id, stage_id
            order by visits desc, next_type asc, next_name asc
        ) > {{ names_of_a_stage }}
),

named_visits as (
    select
        followed_visits.funnel_id,
        followed_visits.stage_id,
        case when rare_names.funnel_id is null then followed_visits.next_type else 'other' end
            as next_type,
        case when rare_names.funnel_id is null then followed_visits.next_name else '(other)' end
            as next_name,
        followed_visits.is_current,
        followed_visits.microseconds_to_next,
    from followed_visits
    left join rare_names
        on
            followed_visits.funnel_id = rare_names.funnel_id
            and followed_visits.stage_id = rare_names.stage_id
            and followed_visits.next_type = rare_names.next_type
            and followed_visits.next_name = rare_names.next_name
),

placed_visits as (
    select
        *,
        row_number() over next_time as place,
        count(microseconds_to_next) over (
            next_time rows between unbounded preceding and unbounded following
        ) as times,
    from named_visits
    window next_time as (
        partition by funnel_id, stage_id, next_type, next_name
        order by microseconds_to_next nulls last
    )
),

counted as (
    select
        funnel_id,
        stage_id,
        next_type,
        next_name,
        count(*) as visits,
        count(case when is_current then 1 end) as last_visits,
        max(times) as times,
        {{ quantile_of_placed('microseconds_to_next', 'place', 'times', 0.5) }}
            as median_microseconds,
        {{ median_bound_of_placed('microseconds_to_next', 'place', 'times', 'low') }}
            as median_microseconds_low,
        {{ median_bound_of_placed('microseconds_to_next', 'place', 'times', 'high') }}
            as median_microseconds_high,
    from placed_visits
    group by funnel_id, stage_id, next_type, next_name
),

totalled as (
    select
        *,
        cast(sum(visits) over (partition by funnel_id, stage_id) as bigint) as stage_visits,
        cast(sum(last_visits) over (partition by funnel_id, stage_id) as bigint)
            as stage_last_visits,
    from counted
)

select
    totalled.funnel_id,
    totalled.stage_id,
    stages.stage_position,
    totalled.next_type,
    totalled.next_name,
    totalled.visits,
    totalled.stage_visits,
    {{ rate('totalled.visits', 'totalled.stage_visits') }} as share,
    {{ wilson_low('totalled.visits', 'totalled.stage_visits') }} as share_low,
    {{ wilson_high('totalled.visits', 'totalled.stage_visits') }} as share_high,
    {{ is_reportable('totalled.stage_visits') }} as share_is_reportable,
    totalled.last_visits,
    totalled.stage_last_visits,
    {{ rate('totalled.last_visits', 'totalled.stage_last_visits') }} as last_share,
    {{ wilson_low('totalled.last_visits', 'totalled.stage_last_visits') }} as last_share_low,
    {{ wilson_high('totalled.last_visits', 'totalled.stage_last_visits') }} as last_share_high,
    {{ seconds_of('totalled.median_microseconds') }} as median_seconds,
    {{ seconds_of('totalled.median_microseconds_low') }} as median_seconds_low,
    {{ seconds_of('totalled.median_microseconds_high') }} as median_seconds_high,
    {{ is_reportable('totalled.times') }} as median_is_reportable,
from totalled
inner join stages
    on
        totalled.funnel_id = stages.funnel_id
        and totalled.stage_id = stages.stage_id
