with

waits as (
    select
        followed_cell_number,
        curve_id,
        longest_microseconds,
        longest_censored_microseconds,
        horizon_passed,
        horizon_followed,
        waits,
        events,
    from {{ ref('int_curve_waits') }}
),

horizons as (
    select
        horizon_days,
        horizon_days * 86400000000 as microseconds,
    from {{ ref('horizons') }}
),

followed_cohorts as (
    select
        followed_cell_number,
        cohort_segment_id,
    from {{ ref('int_followed_cohorts') }}
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
    from {{ ref('int_curve_points') }}
),

cell_counts as (
    select
        followed_cell_number,
        curve_id,
        horizon_passed,
        horizon_followed,
        sum(waits) as waits,
        sum(events) as events,
        max(longest_microseconds) as longest,
        max(longest_censored_microseconds) as longest_censored,
    from waits
    group by all
),

cohort_counts as (
    select
        followed_cohorts.cohort_segment_id,
        cell_counts.curve_id,
        cell_counts.horizon_passed,
        cell_counts.horizon_followed,
        sum(cell_counts.waits) as waits,
        sum(cell_counts.events) as events,
        max(cell_counts.longest) as longest,
        max(cell_counts.longest_censored) as longest_censored,
    from cell_counts
    inner join followed_cohorts
        on cell_counts.followed_cell_number = followed_cohorts.followed_cell_number
    group by all
),

horizon_counts as (
    select
        cohort_counts.cohort_segment_id,
        cohort_counts.curve_id,
        horizons.horizon_days,
        horizons.microseconds as horizon,
        sum(cohort_counts.waits) as waits,
        coalesce(
            sum(cohort_counts.events) filter (
                where cohort_counts.horizon_passed < horizons.horizon_days
            ),
            0
        ) as happened,
        coalesce(
            sum(cohort_counts.waits) filter (
                where cohort_counts.horizon_followed >= horizons.horizon_days
            ),
            0
        ) as followed,
        coalesce(
            sum(cohort_counts.events) filter (
                where cohort_counts.horizon_passed < horizons.horizon_days
                and cohort_counts.horizon_followed >= horizons.horizon_days
            ),
            0
        ) as followed_happened,
        coalesce(
            sum(cohort_counts.waits) filter (
                where cohort_counts.horizon_passed >= horizons.horizon_days
            ),
            0
        ) as at_risk,
        max(cohort_counts.longest) as longest,
        max(cohort_counts.longest_censored) as longest_censored,
    from cohort_counts
    cross join horizons
    group by all
),

horizon_points as (
    select
        curve_points.cohort_segment_id,
        curve_points.curve_id,
        horizons.horizon_days,
        min_by(curve_points.share, curve_points.at_risk) as share,
        min_by(coalesce(curve_points.share_low, -1), curve_points.at_risk) as share_low,
        min_by(coalesce(curve_points.share_high, -1), curve_points.at_risk) as share_high,
    from curve_points
    inner join horizons
        on curve_points.microseconds <= horizons.microseconds
    group by all
),

figures as (
    select
        horizon_counts.cohort_segment_id,
        horizon_counts.curve_id,
        horizon_counts.horizon_days,
        horizon_counts.waits,
        horizon_counts.happened,
        horizon_counts.followed,
        horizon_counts.followed_happened,
        horizon_counts.at_risk,
        -- Beyond the longest wait the curve is known only if nobody is left.
        horizon_counts.horizon <= horizon_counts.longest
        or coalesce(horizon_counts.longest_censored < horizon_counts.longest, true) as is_known,
        -- Before the first step nobody has got there.
        coalesce(horizon_points.share, 0) as share,
        nullif(coalesce(horizon_points.share_low, 0), -1) as share_low,
        nullif(horizon_points.share_high, -1) as share_high,
    from horizon_counts
    left join horizon_points
        on
            horizon_counts.cohort_segment_id = horizon_points.cohort_segment_id
            and horizon_counts.curve_id = horizon_points.curve_id
            and horizon_counts.horizon_days = horizon_points.horizon_days
)

select
    cohort_segment_id,
    curve_id,
    horizon_days,
    cast(waits as bigint) as waits,
    cast(happened as bigint) as happened,
    cast(followed as bigint) as followed,
    cast(followed_happened as bigint) as followed_happened,
    cast(at_risk as bigint) as at_risk,
    case when is_known then share end as share,
    case when is_known then share_low end as share_low,
    case when is_known then share_high end as share_high,
from figures
