with

reviews as (
    select * from {{ ref('int_reviews') }}
    where period_grain = 'month'
)

select
    funnel_id,
    metric,
    stage_id,
    stage_position,
    period_date,
    period_end_date,
    previous_period_date,
    is_unusual,
    cases,
    trials,
    value,
    value_low,
    value_high,
    previous_cases,
    previous_trials,
    previous_value,
    difference,
    difference_low,
    difference_high,
    relative_difference,
    p_value,
    expected,
    expected_low,
    expected_high,
    last_year_value,
    last_year_difference,
    last_year_relative_difference,
    last_year_p_value,
    benchmark_name,
    benchmark_rate,
    benchmark_difference,
    benchmark_p_value,
    explanation,
from reviews
