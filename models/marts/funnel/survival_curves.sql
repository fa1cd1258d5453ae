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
        cohort_segment_id,
        curve_id,
        event,
        from_stage_id,
        to_stage_id,
        waits,
    from {{ ref('int_curve_figures') }}
    where event in ('left', 'won', 'lost', 'reached')
),

curve_points as (
    select
        cohort_segment_id,
        curve_id,
        at_risk,
        microseconds,
        share,
        share_low,
        share_high,
        competing_share,
        survival,
    from {{ ref('int_curve_points') }}
),

-- A chart shows no more than half percents.
chart_points as (
    select
        curve_points.cohort_segment_id,
        curves.event,
        curves.from_stage_id,
        curves.to_stage_id,
        curves.waits,
        curve_points.at_risk,
        curve_points.microseconds,
        curve_points.share,
        curve_points.share_low,
        curve_points.share_high,
        curve_points.competing_share,
        curve_points.survival,
    from curve_points
    inner join curves
        on
            curve_points.cohort_segment_id = curves.cohort_segment_id
            and curve_points.curve_id = curves.curve_id
    window
        by_curve as (
            partition by curve_points.cohort_segment_id, curve_points.curve_id
            order by curve_points.microseconds
        )
    qualify
        floor(200 * (curve_points.share + 1e-9))
        is distinct from lag(floor(200 * (curve_points.share + 1e-9))) over by_curve
        or lead(curve_points.microseconds) over by_curve is null
)

select
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    chart_points.event,
    chart_points.from_stage_id,
    chart_points.to_stage_id,
    cast(
        row_number() over (
            partition by
                chart_points.cohort_segment_id,
                chart_points.event,
                chart_points.from_stage_id,
                chart_points.to_stage_id
            order by chart_points.microseconds
        ) as integer
    ) as point_number,
    cohort_segments.segment_adds_up,
    {{ seconds_of('chart_points.microseconds') }} as seconds,
    chart_points.waits,
    chart_points.at_risk,
    chart_points.share,
    chart_points.share_low,
    chart_points.share_high,
    chart_points.competing_share,
    chart_points.survival as undecided_share,
from chart_points
inner join cohort_segments
    on chart_points.cohort_segment_id = cohort_segments.cohort_segment_id
