with

orders as (
    select
        order_id,
        purchase_id,
        source,
        order_number,
        user_id,
        person_id,
        account_id,
        status,
        currency,
        source_file,
        source_row,
        is_leading,
        place_in_purchase,
        ordered_at,
        amount,
    from {{ ref('int_reconciled_orders') }}
),

leading_orders as (
    select *
    from orders
    where is_leading
),

-- A currency says nothing of another amount than that beside which it stands.
filled_in as (
    select
        orders.purchase_id,
        min_by(orders.user_id, orders.place_in_purchase)
            filter (where orders.user_id is not null) as user_id,
        min_by(orders.person_id, orders.place_in_purchase)
            filter (where orders.person_id is not null) as person_id,
        min_by(orders.account_id, orders.place_in_purchase)
            filter (where orders.account_id is not null) as account_id,
        min_by(orders.status, orders.place_in_purchase)
            filter (where orders.status is not null) as status,
        min_by(orders.currency, orders.place_in_purchase)
            filter (where orders.currency is not null and orders.amount = leading_orders.amount)
            as currency,
        count(*) as orders,
    from orders
    inner join leading_orders
        on orders.purchase_id = leading_orders.purchase_id
    group by orders.purchase_id
)

select
    leading_orders.purchase_id,
    leading_orders.source,
    leading_orders.order_number,
    filled_in.user_id,
    filled_in.person_id,
    filled_in.account_id,
    coalesce(filled_in.status, 'completed') as status,
    filled_in.currency,
    leading_orders.source_file,
    leading_orders.source_row,
    leading_orders.ordered_at,
    leading_orders.amount,
    filled_in.orders,
from leading_orders
inner join filled_in
    on leading_orders.purchase_id = filled_in.purchase_id
