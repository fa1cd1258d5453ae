select
    fit,
    customer_type,
    customer_id,
    priced_repeat_days,
    repeat_revenue,
from {{ ref('int_value_histories') }}
where priced_repeat_days > 0
