with

orders as (
    select
        order_id,
        source,
        order_precedence,
        upper(order_number) as order_number,
        person_id,
        account_id,
        ordered_at,
        amount,
    from {{ ref('int_known_orders') }}
    where order_precedence is not null
),

numbers_by_source as (
    select
        order_number,
        source,
        count(*) as orders,
    from orders
    group by order_number, source
),

-- What a system writes on more orders than that is no number, but a word for none.
shared_numbers as (
    select order_number
    from numbers_by_source
    group by order_number
    having count(*) > 1 and max(orders) <= 20
),

comparable_orders as (
    select orders.*
    from orders
    inner join shared_numbers
        on orders.order_number = shared_numbers.order_number
),

told_accounts as (
    select
        person_id,
        account_id,
        source,
        is_told_by_contact,
    from {{ ref('int_told_accounts') }}
),

merged_accounts as (
    select account_id
    from {{ ref('stg_accounts') }}
    where merged_into_id is not null
),

accounts_said as (
    select
        order_id,
        account_id,
        source as account_source,
        true as is_own,
    from comparable_orders
    where account_id is not null

    union all

    select
        comparable_orders.order_id,
        told_accounts.account_id,
        told_accounts.source as account_source,
        told_accounts.is_told_by_contact as is_own,
    from comparable_orders
    inner join told_accounts
        on comparable_orders.person_id = told_accounts.person_id
),

-- An account that lives on as another one, or that only a deal names, tells who the customer may
-- be and not who it cannot be.
order_accounts as (
    select
        accounts_said.order_id,
        accounts_said.account_id,
        accounts_said.account_source,
        accounts_said.is_own and merged_accounts.account_id is null as can_tell_apart,
    from accounts_said
    left join merged_accounts
        on accounts_said.account_id = merged_accounts.account_id
),

pairs as (
    select
        orders.order_number,
        orders.order_id,
        orders.source,
        orders.order_precedence,
        other_orders.order_id as other_order_id,
        other_orders.source as other_source,
        other_orders.order_precedence as other_order_precedence,
        orders.person_id = other_orders.person_id as is_same_person,
        abs({{ microseconds_between('orders.ordered_at', 'other_orders.ordered_at') }})
            as microseconds_apart,
        orders.amount != other_orders.amount as has_other_amount,
    from comparable_orders as orders
    inner join comparable_orders as other_orders
        on
            orders.order_number = other_orders.order_number
            and orders.order_precedence < other_orders.order_precedence
),

-- Ids of accounts can be compared within one system alone. One person's may be many, as those of
-- who buys for others, and say nothing more where both orders are hers.
pairs_of_accounts as (
    select
        pairs.order_id,
        pairs.other_order_id,
        bool_or(accounts.account_id = other_accounts.account_id) as has_same_account,
        bool_or(
            accounts.can_tell_apart
            and other_accounts.can_tell_apart
            and accounts.account_source = other_accounts.account_source
        ) as has_comparable_accounts,
    from pairs
    inner join order_accounts as accounts
        on pairs.order_id = accounts.order_id
    inner join order_accounts as other_accounts
        on pairs.other_order_id = other_accounts.order_id
    where not coalesce(pairs.is_same_person, false)
    group by pairs.order_id, pairs.other_order_id
),

compared_pairs as (
    select
        pairs.*,
        case
            when pairs.is_same_person then 'same_person'
            when pairs_of_accounts.has_same_account then 'same_account'
            when not pairs.is_same_person or pairs_of_accounts.has_comparable_accounts
                then 'different'
            else 'unknown'
        end as customer_match,
    from pairs
    left join pairs_of_accounts
        on
            pairs.order_id = pairs_of_accounts.order_id
            and pairs.other_order_id = pairs_of_accounts.other_order_id
),

-- The nearest pair is the same seen from either side, so that no order decides but the declared.
ranked_pairs as (
    select
        *,
        row_number() over (
            partition by order_number
            order by
                case customer_match
                    when 'same_person' then 1
                    when 'same_account' then 2
                    when 'unknown' then 3
                    else 4
                end,
                microseconds_apart,
                has_other_amount,
                order_id,
                other_order_id
        ) as nearness,
    from compared_pairs
)

select
    order_number,
    order_id,
    source,
    order_precedence,
    other_order_id,
    other_source,
    other_order_precedence,
    customer_match,
    nearness,
    customer_match != 'different'
    and nearness = min(nearness) over (partition by order_id, other_source)
    and nearness = min(nearness) over (partition by other_order_id, source) as is_nearest_both_ways,
from ranked_pairs
