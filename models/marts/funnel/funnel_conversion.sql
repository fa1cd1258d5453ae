with

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        segment_adds_up,
        journeys,
        mature_journeys,
    from {{ ref('int_cohort_segments') }}
),

cohort_stages as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        visited,
        reached,
        imputed,
        mature_reached,
    from {{ ref('int_cohort_stages') }}
),

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('dim_funnels') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        is_optional,
    from {{ ref('dim_funnel_stages') }}
),

conversions as (
    select
        cohort_segments.funnel_id,
        cohort_segments.cohort_grain,
        cohort_segments.cohort_date,
        cohort_segments.segment_name,
        cohort_segments.segment_value,
        cohort_segments.segment_adds_up,
        cohort_stages.stage_id,
        cohort_stages.stage_position,
        cohort_segments.journeys > 0
        and cohort_segments.mature_journeys = cohort_segments.journeys as is_mature,
        cohort_stages.visited,
        cohort_stages.reached,
        -- Reached falls along the ladder, so the least before is that of the stage before. But in
        -- any order nothing is imputed: an optional stage passed over is no base for the next one.
        min(
            case
                when funnels.order_mode != 'any' or not funnel_stages.is_optional
                    then cohort_stages.reached
            end
        ) over (
            partition by cohort_segments.cohort_segment_id
            order by cohort_stages.stage_position
            rows between unbounded preceding and 1 preceding
        ) as reached_previous,
        cohort_segments.journeys as entered,
        cohort_stages.imputed,
        cohort_segments.mature_journeys as mature_entered,
        cohort_stages.mature_reached,
    from cohort_segments
    inner join cohort_stages
        on cohort_segments.cohort_segment_id = cohort_stages.cohort_segment_id
    inner join funnels
        on cohort_segments.funnel_id = funnels.funnel_id
    inner join funnel_stages
        on
            cohort_segments.funnel_id = funnel_stages.funnel_id
            and cohort_stages.stage_id = funnel_stages.stage_id
)

select
    funnel_id,
    cohort_grain,
    cohort_date,
    segment_name,
    segment_value,
    segment_adds_up,
    stage_id,
    stage_position,
    visited,
    reached,
    reached_previous,
    entered,
    {{ rate('reached', 'reached_previous') }} as step_rate,
    {{ wilson_low('reached', 'reached_previous') }} as step_rate_low,
    {{ wilson_high('reached', 'reached_previous') }} as step_rate_high,
    {{ rate('reached', 'entered') }} as overall_rate,
    {{ wilson_low('reached', 'entered') }} as overall_rate_low,
    {{ wilson_high('reached', 'entered') }} as overall_rate_high,
    is_mature,
    imputed,
    mature_entered,
    mature_reached,
from conversions
