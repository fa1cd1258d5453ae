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
    from {{ ref('int_cohort_segments') }}
),

curves as (
    select
        curve_id,
        event,
        from_stage_id,
        to_stage_id,
    from {{ ref('int_curves') }}
    where event != 'stepped'
),

curve_horizons as (
    select
        cohort_segment_id,
        curve_id,
        horizon_days,
        waits,
        happened,
        followed,
        followed_happened,
        at_risk,
        share,
        share_low,
        share_high,
    from {{ ref('int_curve_horizons') }}
)

select
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    curves.event,
    curves.from_stage_id,
    curves.to_stage_id,
    curve_horizons.horizon_days,
    cohort_segments.segment_adds_up,
    curve_horizons.waits,
    curve_horizons.happened,
    {{ rate('curve_horizons.happened', 'curve_horizons.waits') }} as happened_rate,
    {{ wilson_low('curve_horizons.happened', 'curve_horizons.waits') }} as happened_rate_low,
    {{ wilson_high('curve_horizons.happened', 'curve_horizons.waits') }} as happened_rate_high,
    {{ is_reportable('curve_horizons.waits') }} as happened_rate_is_reportable,
    curve_horizons.followed,
    curve_horizons.followed_happened,
    {{ rate('curve_horizons.followed_happened', 'curve_horizons.followed') }} as followed_rate,
    {{ wilson_low('curve_horizons.followed_happened', 'curve_horizons.followed') }}
        as followed_rate_low,
    {{ wilson_high('curve_horizons.followed_happened', 'curve_horizons.followed') }}
        as followed_rate_high,
    {{ is_reportable('curve_horizons.followed') }} as followed_rate_is_reportable,
    curve_horizons.share as corrected_rate,
    curve_horizons.share_low as corrected_rate_low,
    curve_horizons.share_high as corrected_rate_high,
    {{ is_reportable('curve_horizons.waits') }} as corrected_rate_is_reportable,
    curve_horizons.at_risk,
from curve_horizons
inner join curves
    on curve_horizons.curve_id = curves.curve_id
inner join cohort_segments
    on curve_horizons.cohort_segment_id = cohort_segments.cohort_segment_id
