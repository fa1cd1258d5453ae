with

orders as (
    select
        order_id,
        purchase_id,
        source,
        order_precedence,
        order_number,
        user_id,
        person_id,
        account_id,
        status,
        currency,
        source_file,
        source_row,
        is_leading,
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
said as (
    select
        orders.purchase_id,
        -- Of a source without a precedence each order is a purchase.
        coalesce(orders.order_precedence, 1) as place,
        orders.user_id,
        orders.person_id,
        orders.account_id,
        orders.status,
        case when orders.amount = leading_orders.amount then orders.currency end as currency,
    from orders
    inner join leading_orders
        on orders.purchase_id = leading_orders.purchase_id
),

filled_in as (
    select
        purchase_id,
        min_by(user_id, place) filter (where user_id is not null) as user_id,
        min_by(person_id, place) filter (where person_id is not null) as person_id,
        min_by(account_id, place) filter (where account_id is not null) as account_id,
        min_by(status, place) filter (where status is not null) as status,
        min_by(currency, place) filter (where currency is not null) as currency,
        count(*) as orders,
    from said
    group by purchase_id
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
