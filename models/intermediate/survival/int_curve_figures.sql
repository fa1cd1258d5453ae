with

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
        competing_share_low,
        competing_share_high,
        survival,
    from {{ ref('int_curve_points') }}
),

curves as (
    select
        curve_id,
        event,
        from_stage_id,
        to_stage_id,
    from {{ ref('int_curves') }}
),

waits as (
    select
        followed_cell_number,
        curve_id,
        waits,
    from {{ ref('int_curve_waits') }}
),

followed_cohorts as (
    select
        followed_cell_number,
        cohort_segment_id,
    from {{ ref('int_followed_cohorts') }}
),

cell_waits as (
    select
        followed_cell_number,
        curve_id,
        sum(waits) as waits,
    from waits
    group by all
),

cohort_waits as (
    select
        followed_cohorts.cohort_segment_id,
        cell_waits.curve_id,
        cast(sum(cell_waits.waits) as bigint) as waits,
    from cell_waits
    inner join followed_cohorts
        on cell_waits.followed_cell_number = followed_cohorts.followed_cell_number
    group by all
),

-- 10^-9 is far below any step, and far above what rounding can do.
last_points as (
    select
        cohort_segment_id,
        curve_id,
        {% for percent in [10, 25, 50, 75, 90] -%}
            min(microseconds) filter (where share >= {{ percent / 100 }} - 1e-9)
                as microseconds_p{{ percent }},
        {% endfor -%}
        min(microseconds) filter (where share_high >= 0.5 - 1e-9) as microseconds_p50_low,
        min(microseconds) filter (where share_low >= 0.5 - 1e-9) as microseconds_p50_high,
        min_by(share, at_risk) as share,
        min_by(coalesce(share_low, -1), at_risk) as share_low,
        min_by(coalesce(share_high, -1), at_risk) as share_high,
        min_by(competing_share, at_risk) as competing_share,
        min_by(coalesce(competing_share_low, -1), at_risk) as competing_share_low,
        min_by(coalesce(competing_share_high, -1), at_risk) as competing_share_high,
        min_by(survival, at_risk) as survival,
    from curve_points
    group by all
)

select
    cohort_waits.cohort_segment_id,
    cohort_waits.curve_id,
    curves.event,
    curves.from_stage_id,
    curves.to_stage_id,
    cohort_waits.waits,
    {% for percent in [10, 25, 50, 75, 90] -%}
        last_points.microseconds_p{{ percent }},
    {% endfor -%}
    last_points.microseconds_p50_low,
    last_points.microseconds_p50_high,
    -- Without any step nobody has got anywhere.
    coalesce(last_points.share, 0) as share,
    nullif(coalesce(last_points.share_low, 0), -1) as share_low,
    nullif(last_points.share_high, -1) as share_high,
    coalesce(last_points.competing_share, 0) as competing_share,
    nullif(coalesce(last_points.competing_share_low, 0), -1) as competing_share_low,
    nullif(last_points.competing_share_high, -1) as competing_share_high,
    coalesce(last_points.survival, 1) as survival,
from cohort_waits
inner join curves
    on cohort_waits.curve_id = curves.curve_id
left join last_points
    on
        cohort_waits.cohort_segment_id = last_points.cohort_segment_id
        and cohort_waits.curve_id = last_points.curve_id
