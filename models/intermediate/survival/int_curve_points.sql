{%- set z = 1.959963984540054 -%}

with

waits as (
    select
        followed_cell_number,
        curve_id,
        microseconds,
        horizon_passed,
        waits,
        events,
        others,
    from {{ ref('int_curve_waits') }}
),

curves as (
    select
        curve_id,
        event,
    from {{ ref('int_curves') }}
),

followed_cohorts as (
    select
        followed_cell_number,
        cohort_segment_id,
    from {{ ref('int_followed_cohorts') }}
),

-- One number for cohort, segment and curve: narrow rows sort several times as fast. And one row for
-- what happens at one instant, which is one step. Whole numbers as doubles, which add up exactly
-- below 2^53, and in half the time.
cohort_waits as (
    select
        followed_cohorts.cohort_segment_id * 1000000 + waits.curve_id as group_number,
        waits.microseconds,
        waits.horizon_passed,
        sum(cast(waits.waits as double)) as waits,
        sum(cast(waits.events as double)) as events,
        sum(cast(waits.others as double)) as others,
    from waits
    inner join followed_cohorts
        on waits.followed_cell_number = followed_cohorts.followed_cell_number
    group by all
),

-- Who is censored at an instant was still there when the others left.
instants as (
    select
        group_number,
        microseconds,
        horizon_passed,
        events,
        others,
        sum(waits) over (
            partition by group_number
            order by microseconds
            rows between current row and unbounded following
        ) as at_risk,
    from cohort_waits
),

-- All sums run over whole numbers, in units of 10^-14 or 10^-15.
steps as (
    select
        group_number,
        microseconds,
        horizon_passed,
        at_risk as n,
        events,
        others,
        case
            when at_risk > events + others
                then round(1e14 * ln((at_risk - (events + others)) / at_risk))
            else 0
        end as log_factor,
        case
            when at_risk > events + others
                then round(
                    1e15 * (events + others) / (at_risk * (at_risk - (events + others)))
                )
            else 0
        end as hazard_variance,
    from instants
    where events + others > 0
),

survivals as (
    select
        group_number,
        microseconds,
        horizon_passed,
        n,
        events,
        others,
        hazard_variance,
        exp((sum(log_factor) over so_far - log_factor) / 1e14) as survival_before,
        sum(hazard_variance) over so_far / 1e15 as hazard_variances,
    from steps
    window
        so_far as (
            partition by group_number
            order by microseconds
            rows between unbounded preceding and current row
        )
),

shares as (
    select
        *,
        survival_before * (n - events - others) / n as survival,
        sum(round(1e15 * survival_before * events / n)) over so_far / 1e15 as share,
        sum(round(1e15 * survival_before * others / n)) over so_far / 1e15 as competing_share,
    from survivals
    window
        so_far as (
            partition by group_number
            order by microseconds
            rows between unbounded preceding and current row
        )
),

-- The variance of the share F at a time is the sum over the instants s up to it of
--     (F - F_s)^2 v_s + S_s^2 d_s (n_s - d_s) / n_s^3 - 2 (F - F_s) S_s d_s / n_s^2
-- where d_s of n_s had the event, v_s is Greenwood's term for all that left and S_s the survival
-- before. Ordered by powers of F it takes three sums that run along.
moments as (
    select
        *,
        {% for share, leavers in [('share', 'events'), ('competing_share', 'others')] -%}
            sum(
                round({{ share }} * hazard_variance)
                + round(1e15 * survival_before * {{ leavers }} / (n * n))
            ) over so_far / 1e15 as {{ leavers }}_first_moments,
            sum(
                round({{ share }} * {{ share }} * hazard_variance)
                + round(
                    1e15 * survival_before * {{ leavers }}
                    * (survival_before * (n - {{ leavers }}) / n + 2 * {{ share }}) / (n * n)
                )
            ) over so_far / 1e15 as {{ leavers }}_second_moments,
        {% endfor -%}
    from shares
    window
        so_far as (
            partition by group_number
            order by microseconds
            rows between unbounded preceding and current row
        )
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
                    - 2 * moments.share * moments.events_first_moments
                    + moments.events_second_moments,
                    0
                )
        end as variance,
        greatest(
            moments.competing_share * moments.competing_share * moments.hazard_variances
            - 2 * moments.competing_share * moments.others_first_moments
            + moments.others_second_moments,
            0
        ) as competing_variance,
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
        cast(n as bigint) as at_risk,
        share,
        competing_share,
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
        case
            when competing_share <= 0 then 0
            when competing_share > 1 - 1e-9 then null
            else pow(
                competing_share,
                exp(
                    -{{ z }}e0 * sqrt(competing_variance)
                    / (competing_share * ln(competing_share))
                )
            )
        end as competing_share_low,
        case
            when competing_share <= 0 or competing_share > 1 - 1e-9 then null
            else pow(
                competing_share,
                exp(
                    {{ z }}e0 * sqrt(competing_variance)
                    / (competing_share * ln(competing_share))
                )
            )
        end as competing_share_high,
    from variances
),

steps_of_chart as (
    select
        *,
        floor(1e3 * (share + 1e-9)) as share_step,
        share_low >= 0.5 - 1e-9 as is_low_beyond_half,
        share_high >= 0.5 - 1e-9 as is_high_beyond_half,
    from bands
)

-- A step is kept where the share gets to a further thousandth, all quantiles among them, or an end
-- of its band to one half, and where it is the last one within a horizon or at all.
select
    cast(group_number // 1000000 as bigint) as cohort_segment_id,
    cast(group_number % 1000000 as integer) as curve_id,
    at_risk,
    microseconds,
    share,
    share_low,
    share_high,
    competing_share,
    competing_share_low,
    competing_share_high,
    survival,
from steps_of_chart
window
    by_group as (
        partition by group_number
        order by microseconds
    )
qualify
    share_step is distinct from lag(share_step) over by_group
    or is_low_beyond_half is distinct from lag(is_low_beyond_half) over by_group
    or is_high_beyond_half is distinct from lag(is_high_beyond_half) over by_group
    or horizon_passed is distinct from lead(horizon_passed) over by_group
