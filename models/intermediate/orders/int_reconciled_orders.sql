with

orders as (
    select
        order_id,
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
        ordered_at,
        amount,
    from {{ ref('int_known_orders') }}
),

pairs as (
    select
        order_id,
        order_precedence,
        other_order_id,
        other_order_precedence,
        customer_match,
        is_nearest_both_ways,
    from {{ ref('int_order_pairs') }}
),

followers as (
    select
        other_order_id as order_id,
        other_order_precedence as order_precedence,
        min_by(order_id, order_precedence) as leading_order_id,
        min_by(customer_match, order_precedence) as customer_match,
    from pairs
    where is_nearest_both_ways
    group by other_order_id, other_order_precedence
),

-- What fits an order that itself follows a third, and does not fit that third.
followers_of_followers as (
    select followers.order_id
    from followers
    inner join followers as leaders
        on followers.leading_order_id = leaders.order_id
),

-- What fits the leading order, of which little is known, and not one that fits it as well.
contradicted_followers as (
    select distinct followers.order_id
    from followers
    inner join followers as nearer_followers
        on
            followers.leading_order_id = nearer_followers.leading_order_id
            and followers.order_precedence > nearer_followers.order_precedence
    inner join pairs
        on
            nearer_followers.order_id = pairs.order_id
            and followers.order_id = pairs.other_order_id
    where pairs.customer_match = 'different'
),

merged_orders as (
    select
        followers.order_id,
        followers.leading_order_id,
        followers.customer_match,
    from followers
    left join followers_of_followers
        on followers.order_id = followers_of_followers.order_id
    left join contradicted_followers
        on followers.order_id = contradicted_followers.order_id
    where
        followers_of_followers.order_id is null
        and contradicted_followers.order_id is null
)

select
    orders.order_id,
    coalesce(merged_orders.leading_order_id, orders.order_id) as purchase_id,
    orders.source,
    orders.order_precedence,
    orders.order_number,
    merged_orders.customer_match,
    orders.user_id,
    orders.person_id,
    orders.account_id,
    orders.status,
    orders.currency,
    orders.source_file,
    orders.source_row,
    merged_orders.order_id is null as is_leading,
    orders.ordered_at,
    orders.amount,
from orders
left join merged_orders
    on orders.order_id = merged_orders.order_id
