with

probabilities as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        method,
        deal_id,
        -- From 0.1 on is the second tenth; a certainty is in the last one.
        least(cast(floor(probability * 10) as integer), 9) + 1 as decile,
        probability,
        came_true,
    from {{ ref('int_judged_probabilities') }}
),

deciles as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        method,
        decile,
        count(*) as judged_deals,
        count(distinct deal_id) as different_deals,
        sum(probability) as probability,
        cast(sum(came_true) as bigint) as came_true,
        sum(
            cast(probability - came_true as decimal(38, 12))
            * cast(probability - came_true as decimal(18, 12))
        ) as squared_error,
    from probabilities
    group by all
)

select
    funnel_id,
    period_grain,
    periods_ahead,
    method,
    decile,
    judged_deals,
    different_deals,
    {{ rate('probability', 'judged_deals') }} as mean_probability,
    came_true,
    {{ rate('came_true', 'judged_deals') }} as observed_rate,
    {{ wilson_low('came_true', 'judged_deals') }} as observed_rate_low,
    {{ wilson_high('came_true', 'judged_deals') }} as observed_rate_high,
    {{ is_reportable('different_deals') }} as observed_rate_is_reportable,
    {{ rate('squared_error', 'judged_deals') }} as brier_score,
from deciles
