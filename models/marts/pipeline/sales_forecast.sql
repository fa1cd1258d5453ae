with

forecasts as (
    select * from {{ ref('int_forecasts') }}
    where is_current
),

methods as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        method,
        forecasts,
        amount_error_share,
        is_recommended,
    from {{ ref('forecast_methods') }}
)

select
    forecasts.funnel_id,
    forecasts.period_grain,
    forecasts.periods_ahead,
    forecasts.period_date,
    forecasts.method,
    forecasts.made_on,
    forecasts.wins_before,
    forecasts.amount_before,
    forecasts.deals,
    forecasts.deals_without_probability,
    forecasts.deals_without_amount,
    forecasts.open_wins,
    forecasts.open_amount,
    forecasts.earlier_periods,
    forecasts.other_wins,
    forecasts.other_amount,
    forecasts.expected_wins,
    forecasts.expected_wins_low_80,
    forecasts.expected_wins_high_80,
    forecasts.expected_wins_low_95,
    forecasts.expected_wins_high_95,
    forecasts.expected_amount,
    forecasts.expected_amount_low_80,
    forecasts.expected_amount_high_80,
    forecasts.expected_amount_low_95,
    forecasts.expected_amount_high_95,
    methods.forecasts as past_forecasts,
    methods.amount_error_share as past_error_share,
    methods.is_recommended,
from forecasts
inner join methods
    on
        forecasts.funnel_id = methods.funnel_id
        and forecasts.period_grain = methods.period_grain
        and forecasts.periods_ahead = methods.periods_ahead
        and forecasts.method = methods.method
