with

orders as (
    select * from {{ ref('base_orders') }}
    where row_status = 'kept'
)

select
    source,
    order_id,
    order_number,
    user_id,
    account_id,
    status,
    currency,
    is_ambiguous_time,
    ordered_at,
    updated_at,
    delivered_at,
    amount,
    source_file,
    source_row,
from orders
