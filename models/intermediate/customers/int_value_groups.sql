select
    fit,
    repeat_days,
    days_to_last,
    days_observed,
    count(*) as customers,
    max(days_to_judge) as days_to_judge,
from {{ ref('int_value_histories') }}
group by all
