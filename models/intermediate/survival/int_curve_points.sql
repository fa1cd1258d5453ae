{%- set z = 1.959963984540054 -%}

with

waits as (
    select
        cell_id,
        curve_id,
        microseconds,
        horizon_passed,
        fate,
    from {{ ref('int_curve_waits') }}
),

curves as (
    select
        curve_id,
        event,
    from {{ ref('int_curves') }}
),

followed_cells as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_followed_cells') }}
),

-- One number for cohort, segment and curve: narrow rows sort several times as fast.
cohort_waits as (
    select
        followed_cells.cohort_segment_id * 1000000 + waits.curve_id as group_number,
        waits.microseconds,
        waits.horizon_passed,
        case waits.fate
            when 'event' then 1
            when 'competing' then 2
            else 3
        end as fate_order,
    from waits
    inner join followed_cells
        on waits.cell_id = followed_cells.cell_id
),

-- Who leaves at one instant leaves one after the other, before those that are censored at it: sums
-- and products come out as for all at once.
ordered_waits as (
    select
        group_number,
        microseconds,
        horizon_passed,
        fate_order = 1 as is_event,
        fate_order != 3 as is_observed,
        count(*) over (
            partition by group_number
            order by microseconds, fate_order
            rows between current row and unbounded following
        ) as at_risk,
    from cohort_waits
),

-- All sums run over whole numbers below 2^53, in units of 10^-14 or 10^-15: as doubles they add up
-- exactly, in whatever order the engine adds them.
steps as (
    select
        group_number,
        microseconds,
        horizon_passed,
        is_event,
        at_risk,
        cast(at_risk as double) as n,
        case
            when at_risk > 1 then round(1e14 * ln((at_risk - 1e0) / at_risk))
            else 0
        end as log_factor,
        case
            when at_risk > 1 then round(1e15 / (at_risk * (at_risk - 1e0)))
            else 0
        end as hazard_variance,
    from ordered_waits
    where is_observed
),

survivals as (
    select
        *,
        exp(
            coalesce(
                sum(log_factor) over (
                    partition by group_number
                    order by at_risk desc
                    rows between unbounded preceding and 1 preceding
                ),
                0
            ) / 1e14
        ) as survival_before,
        sum(hazard_variance) over (
            partition by group_number
            order by at_risk desc
            rows between unbounded preceding and current row
        ) / 1e15 as hazard_variances,
    from steps
),

shares as (
    select
        *,
        survival_before * (n - 1) / n as survival,
        sum(case when is_event then round(1e15 * survival_before / n) else 0 end) over (
            partition by group_number
            order by at_risk desc
            rows between unbounded preceding and current row
        ) / 1e15 as share,
    from survivals
),

-- The variance of the share F at a time is the sum over the steps s up to it of
--     (F - F_s)^2 v_s + S_s^2 (n_s - 1) / n_s^3 - 2 (F - F_s) S_s / n_s^2
-- where v_s is 1 / (n_s (n_s - 1)) and S_s the survival before the step; the latter two of events
-- only. Ordered by powers of F it takes three sums that run along.
moments as (
    select
        *,
        sum(
            round(share * hazard_variance)
            + case when is_event then round(1e15 * survival_before / (n * n)) else 0 end
        ) over (
            partition by group_number
            order by at_risk desc
            rows between unbounded preceding and current row
        ) / 1e15 as first_moments,
        sum(
            round(share * share * hazard_variance)
            + case
                when is_event
                    then round(
                        1e15 * survival_before
                        * (survival_before * (n - 1) / n + 2 * share) / (n * n)
                    )
                else 0
            end
        ) over (
            partition by group_number
            order by at_risk desc
            rows between unbounded preceding and current row
        ) / 1e15 as second_moments,
    from shares
),

variances as (
    select
        moments.*,
        curves.event = 'left' as has_one_fate,
        case
            when curves.event = 'left'
                then moments.survival * moments.survival * moments.hazard_variances
            else
                greatest(
                    moments.share * moments.share * moments.hazard_variances
                    - 2 * moments.share * moments.first_moments
                    + moments.second_moments,
                    0
                )
        end as variance,
    from moments
    inner join curves
        on moments.group_number % 1000000 = curves.curve_id
),

-- The bands are drawn where they keep between 0 and 1: on log(-log) of the survival where leaving
-- is all that can happen, and of the share where something else can. Where all have left there is
-- none, although the rounded steps of a long curve may add up to a little less than 1.
bands as (
    select
        group_number,
        microseconds,
        horizon_passed,
        at_risk,
        share,
        survival,
        case
            when share <= 0 then 0
            when share > 1 - 1e-9 then null
            when has_one_fate
                then 1 - pow(survival, exp({{ z }}e0 * sqrt(variance) / (survival * ln(survival))))
            else pow(share, exp(-{{ z }}e0 * sqrt(variance) / (share * ln(share))))
        end as share_low,
        case
            when share <= 0 or share > 1 - 1e-9 then null
            when has_one_fate
                then 1 - pow(survival, exp(-{{ z }}e0 * sqrt(variance) / (survival * ln(survival))))
            else pow(share, exp({{ z }}e0 * sqrt(variance) / (share * ln(share))))
        end as share_high,
    from variances
),

steps_of_chart as (
    select
        *,
        floor(1e3 * (share + 1e-9)) as share_step,
        floor(1e3 * (share_low + 1e-9)) as low_step,
        floor(1e3 * (share_high + 1e-9)) as high_step,
    from bands
)

-- A step is kept where the share or its band gets to a further thousandth, all quantiles among
-- them, and where it is the last one within a horizon or at all.
select
    cast(group_number // 1000000 as bigint) as cohort_segment_id,
    cast(group_number % 1000000 as integer) as curve_id,
    at_risk,
    microseconds,
    share,
    share_low,
    share_high,
    survival,
from steps_of_chart
window
    by_group as (
        partition by group_number
        order by at_risk desc
    )
qualify
    share_step is distinct from lag(share_step) over by_group
    or low_step is distinct from lag(low_step) over by_group
    or high_step is distinct from lag(high_step) over by_group
    or horizon_passed is distinct from lead(horizon_passed) over by_group
