{#- How many standard deviations hold 80 and 95 in a hundred of a normal distribution. -#}
{%- set wide_80 = 1.2815515655446004 -%}
{%- set wide_95 = 1.959963984540054 -%}

with

expectations as (
    select * from {{ ref('int_forecast_expectations') }}
),

-- How far the method was out before, as far as periods were over when the forecast was made.
past_errors as (
    select
        later.funnel_id,
        later.period_grain,
        later.periods_ahead,
        later.made_on,
        later.method,
        count(*) as forecasts,
        cast(sum(
            cast(earlier.expected_wins - earlier.wins_at_end as decimal(38, 2))
            * cast(earlier.expected_wins - earlier.wins_at_end as decimal(18, 2))
        ) as double) as wins_squared_error,
        cast(sum(
            cast(earlier.expected_amount - earlier.amount_at_end as decimal(38, 2))
            * cast(earlier.expected_amount - earlier.amount_at_end as decimal(18, 2))
        ) as double) as amount_squared_error,
    from expectations as later
    inner join expectations as earlier
        on
            later.funnel_id = earlier.funnel_id
            and later.period_grain = earlier.period_grain
            and later.periods_ahead = earlier.periods_ahead
            and later.method = earlier.method
            and later.made_on >= earlier.next_period_date
    where earlier.expected_amount is not null
    group by all
),

deviations as (
    select
        expectations.*,
        -- What chance does to the deals alone is too little where the method itself is off.
        sqrt(
            case
                when
                    past_errors.forecasts >= 3
                    and past_errors.wins_squared_error
                    > expectations.wins_variance * past_errors.forecasts
                    then past_errors.wins_squared_error / past_errors.forecasts
                else expectations.wins_variance
            end
        ) as wins_deviation,
        sqrt(
            case
                when
                    past_errors.forecasts >= 3
                    and past_errors.amount_squared_error
                    > expectations.amount_variance * past_errors.forecasts
                    then past_errors.amount_squared_error / past_errors.forecasts
                else expectations.amount_variance
            end
        ) as amount_deviation,
    from expectations
    left join past_errors
        on
            expectations.funnel_id = past_errors.funnel_id
            and expectations.period_grain = past_errors.period_grain
            and expectations.periods_ahead = past_errors.periods_ahead
            and expectations.made_on = past_errors.made_on
            and expectations.method = past_errors.method
)

select
    funnel_id,
    period_grain,
    periods_ahead,
    made_on,
    is_current,
    period_date,
    is_over,
    method,
    wins_at_end,
    amount_at_end,
    wins_before,
    amount_before,
    deals,
    deals_without_probability,
    deals_without_amount,
    earlier_periods,
    open_wins,
    open_amount,
    other_wins,
    other_amount,
    expected_wins,
    {{ at_least('expected_wins - ' ~ wide_80 ~ ' * wins_deviation', 'wins_before') }}
        as expected_wins_low_80,
    expected_wins + {{ wide_80 }} * wins_deviation as expected_wins_high_80,
    {{ at_least('expected_wins - ' ~ wide_95 ~ ' * wins_deviation', 'wins_before') }}
        as expected_wins_low_95,
    expected_wins + {{ wide_95 }} * wins_deviation as expected_wins_high_95,
    expected_amount,
    {{ at_least('expected_amount - ' ~ wide_80 ~ ' * amount_deviation', 'amount_before') }}
        as expected_amount_low_80,
    expected_amount + {{ wide_80 }} * amount_deviation as expected_amount_high_80,
    {{ at_least('expected_amount - ' ~ wide_95 ~ ' * amount_deviation', 'amount_before') }}
        as expected_amount_low_95,
    expected_amount + {{ wide_95 }} * amount_deviation as expected_amount_high_95,
from deviations
