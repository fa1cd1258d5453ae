with

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('dim_funnels') }}
),

stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
        case when stage_position is not null and not is_optional then 1 else 0 end as required,
    from {{ ref('dim_funnel_stages') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
        ended_at,
    from {{ ref('fct_journeys') }}
),

visits as (
    select
        funnel_id,
        subject_id,
        journey_number,
        visit_number,
        stage_id,
        entered_at,
        {{ microseconds_of('seconds_in_stage') }} as microseconds_in_stage,
    from {{ ref('fct_stage_visits') }}
),

counted_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
        cast(
            sum(required) over (
                partition by funnel_id
                order by stage_position nulls last
                rows between unbounded preceding and current row
            ) as integer
        ) as required_until,
        cast(
            sum(required) over (
                partition by funnel_id
                order by stage_position nulls last
                rows between unbounded preceding and current row
            ) as integer
        ) - required as required_before,
    from stages
),

-- What follows the outcome is no part of the way to it.
steps as (
    select
        visits.funnel_id,
        visits.subject_id,
        visits.journey_number,
        visits.visit_number,
        visits.stage_id,
        counted_stages.stage_kind,
        counted_stages.stage_position,
        counted_stages.required_until,
        counted_stages.required_before,
        counted_stages.stage_kind = journeys.outcome as is_of_outcome,
        visits.microseconds_in_stage,
    from visits
    inner join journeys
        on
            visits.funnel_id = journeys.funnel_id
            and visits.subject_id = journeys.subject_id
            and visits.journey_number = journeys.journey_number
    inner join counted_stages
        on
            visits.funnel_id = counted_stages.funnel_id
            and visits.stage_id = counted_stages.stage_id
    where coalesce(visits.entered_at <= journeys.ended_at, true)
),

numbered_steps as (
    select
        steps.funnel_id,
        steps.subject_id,
        steps.journey_number,
        steps.stage_id,
        steps.stage_kind,
        steps.stage_position,
        steps.required_before,
        steps.is_of_outcome,
        steps.microseconds_in_stage,
        row_number() over journey as step_number,
        row_number() over (
            partition by
                steps.funnel_id,
                steps.subject_id,
                steps.journey_number,
                steps.stage_id
            order by steps.visit_number
        ) as time_in_stage,
        lag(steps.stage_id) over journey as previous_stage_id,
        lag(steps.stage_kind) over journey as previous_stage_kind,
        lag(steps.stage_position) over journey as previous_stage_position,
        lag(steps.required_until) over journey as previous_required_until,
        lead(steps.stage_id) over journey is null as is_last,
    from steps
    window journey as (
        partition by steps.funnel_id, steps.subject_id, steps.journey_number
        order by steps.visit_number
    )
)

select
    numbered_steps.funnel_id,
    numbered_steps.subject_id,
    numbered_steps.journey_number,
    numbered_steps.step_number,
    numbered_steps.stage_id,
    numbered_steps.is_last
    and numbered_steps.is_of_outcome
    and numbered_steps.stage_kind != 'open' as is_outcome,
    numbered_steps.time_in_stage > 1 as is_again,
    funnels.order_mode != 'any'
    and numbered_steps.step_number = 1
    and numbered_steps.stage_position is not null
    and numbered_steps.required_before > 0 as is_late_entry,
    coalesce(
        funnels.order_mode != 'any'
        and numbered_steps.previous_stage_kind = 'open'
        and numbered_steps.stage_position > numbered_steps.previous_stage_position
        and numbered_steps.required_before > numbered_steps.previous_required_until,
        false
    ) as is_skip,
    coalesce(
        funnels.order_mode != 'any'
        and numbered_steps.previous_stage_kind = 'open'
        and numbered_steps.stage_position < numbered_steps.previous_stage_position,
        false
    ) as is_regress,
    coalesce(numbered_steps.previous_stage_id = numbered_steps.stage_id, false) as is_repeat,
    coalesce(
        funnels.order_mode != 'any'
        and (
            (numbered_steps.previous_stage_kind = 'lost' and numbered_steps.stage_kind != 'lost')
            or (numbered_steps.previous_stage_kind = 'won' and numbered_steps.stage_kind = 'open')
        ),
        false
    ) as is_reopening,
    numbered_steps.microseconds_in_stage,
from numbered_steps
inner join funnels
    on numbered_steps.funnel_id = funnels.funnel_id
