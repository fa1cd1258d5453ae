with

periods as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        is_current,
        is_over,
    from {{ ref('int_forecast_periods') }}
),

probabilities as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        method,
        deal_id,
        probability,
        came_true,
    from {{ ref('int_forecast_probabilities') }}
    where probability is not null and came_true is not null
)

select
    probabilities.funnel_id,
    probabilities.period_grain,
    probabilities.periods_ahead,
    probabilities.made_on,
    probabilities.method,
    probabilities.deal_id,
    probabilities.probability,
    probabilities.came_true,
from probabilities
inner join periods
    on
        probabilities.funnel_id = periods.funnel_id
        and probabilities.period_grain = periods.period_grain
        and probabilities.periods_ahead = periods.periods_ahead
        and probabilities.made_on = periods.made_on
where
    not periods.is_current
    -- What is asked about the period is known when it is over; an outcome is when it is there.
    and (periods.is_over or probabilities.method != 'stage_and_age')
