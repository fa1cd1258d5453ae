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

curve_figures as (
    select
        cohort_segment_id,
        event,
        to_stage_id,
        waits,
        share,
        share_low,
        share_high,
        competing_share,
        competing_share_low,
        competing_share_high,
        survival,
    from {{ ref('int_curve_figures') }}
),

arrivals as (
    select * from curve_figures
    where event = 'reached'
),

steps as (
    select * from curve_figures
    where event = 'stepped'
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
        cohort_segments.cohort_segment_id,
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
        ) over stages_before as reached_previous,
        min(
            case
                when funnels.order_mode != 'any' or not funnel_stages.is_optional
                    then cohort_stages.mature_reached
            end
        ) over stages_before as mature_reached_previous,
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
    window stages_before as (
        partition by cohort_segments.cohort_segment_id
        order by cohort_stages.stage_position
        rows between unbounded preceding and 1 preceding
    )
)

select
    conversions.funnel_id,
    conversions.cohort_grain,
    conversions.cohort_date,
    conversions.segment_name,
    conversions.segment_value,
    conversions.stage_id,
    conversions.stage_position,
    conversions.segment_adds_up,
    conversions.is_mature,
    conversions.visited,
    conversions.reached,
    conversions.imputed,
    conversions.reached_previous,
    conversions.entered,
    {{ rate('conversions.reached', 'conversions.reached_previous') }} as step_rate,
    {{ wilson_low('conversions.reached', 'conversions.reached_previous') }} as step_rate_low,
    {{ wilson_high('conversions.reached', 'conversions.reached_previous') }} as step_rate_high,
    {{ is_reportable('conversions.reached_previous') }} as step_rate_is_reportable,
    {{ rate('conversions.reached', 'conversions.entered') }} as overall_rate,
    {{ wilson_low('conversions.reached', 'conversions.entered') }} as overall_rate_low,
    {{ wilson_high('conversions.reached', 'conversions.entered') }} as overall_rate_high,
    {{ is_reportable('conversions.entered') }} as overall_rate_is_reportable,
    conversions.mature_reached,
    conversions.mature_reached_previous,
    conversions.mature_entered,
    {{ rate('conversions.mature_reached', 'conversions.mature_reached_previous') }}
        as mature_step_rate,
    {{ wilson_low('conversions.mature_reached', 'conversions.mature_reached_previous') }}
        as mature_step_rate_low,
    {{ wilson_high('conversions.mature_reached', 'conversions.mature_reached_previous') }}
        as mature_step_rate_high,
    {{ is_reportable('conversions.mature_reached_previous') }} as mature_step_rate_is_reportable,
    {{ rate('conversions.mature_reached', 'conversions.mature_entered') }} as mature_overall_rate,
    {{ wilson_low('conversions.mature_reached', 'conversions.mature_entered') }}
        as mature_overall_rate_low,
    {{ wilson_high('conversions.mature_reached', 'conversions.mature_entered') }}
        as mature_overall_rate_high,
    {{ is_reportable('conversions.mature_entered') }} as mature_overall_rate_is_reportable,
    steps.waits as corrected_reached_previous,
    steps.share as corrected_step_rate,
    steps.share_low as corrected_step_rate_low,
    steps.share_high as corrected_step_rate_high,
    {{ is_reportable('steps.waits') }} as corrected_step_rate_is_reportable,
    arrivals.waits as corrected_entered,
    arrivals.share as corrected_overall_rate,
    arrivals.share_low as corrected_overall_rate_low,
    arrivals.share_high as corrected_overall_rate_high,
    {{ is_reportable('arrivals.waits') }} as corrected_overall_rate_is_reportable,
    arrivals.competing_share as never_rate,
    arrivals.competing_share_low as never_rate_low,
    arrivals.competing_share_high as never_rate_high,
    arrivals.survival as undecided_rate,
from conversions
left join steps
    on
        conversions.cohort_segment_id = steps.cohort_segment_id
        and conversions.stage_id = steps.to_stage_id
left join arrivals
    on
        conversions.cohort_segment_id = arrivals.cohort_segment_id
        and conversions.stage_id = arrivals.to_stage_id
