select
    funnel_id,
    period_grain,
    periods_ahead,
    period_date,
    method,
    made_on,
    expected_wins,
    wins_at_end as actual_wins,
    expected_wins - wins_at_end as wins_error,
    wins_at_end between expected_wins_low_80 and expected_wins_high_80 as wins_in_80,
    wins_at_end between expected_wins_low_95 and expected_wins_high_95 as wins_in_95,
    expected_amount,
    amount_at_end as actual_amount,
    expected_amount - cast(amount_at_end as double) as amount_error,
    amount_at_end between expected_amount_low_80 and expected_amount_high_80 as amount_in_80,
    amount_at_end between expected_amount_low_95 and expected_amount_high_95 as amount_in_95,
from {{ ref('int_forecasts') }}
where is_over
