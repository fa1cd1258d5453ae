select
    order_id,
    purchase_id,
    source,
    order_number,
    customer_match,
    user_id,
    account_id,
    status,
    currency,
    is_leading,
    ordered_at,
    amount,
from {{ ref('int_reconciled_orders') }}
