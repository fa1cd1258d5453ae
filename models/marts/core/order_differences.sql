with

run as (
    select reporting_currency from {{ ref('int_run') }}
),

sources as (
    select source
    from {{ ref('sources') }}
    where order_precedence is not null
),

-- What is delivered once more without a change tells that there is nothing else.
deliveries as (
    select
        source,
        min(ordered_at) filter (where row_status = 'kept') as first_ordered_at,
        max(delivered_at) as last_delivered_at,
    from {{ ref('base_orders') }}
    group by source
),

orders as (
    select
        order_id,
        purchase_id,
        source,
        order_number,
        person_id,
        account_id,
        status,
        currency,
        is_leading,
        ordered_at,
        amount,
    from {{ ref('int_reconciled_orders') }}
),

purchases as (
    select
        purchases.purchase_id,
        purchases.source,
        purchases.order_number,
        purchases.person_id,
        purchases.account_id,
        purchases.status,
        coalesce(purchases.currency, run.reporting_currency) as currency,
        purchases.ordered_at,
        purchases.amount,
    from {{ ref('int_purchases') }} as purchases
    cross join run
),

pairs as (
    select
        order_id,
        source,
        other_order_id,
        other_source,
        customer_match,
        nearness,
        is_nearest_both_ways,
    from {{ ref('int_order_pairs') }}
),

compared_orders as (
    select
        purchases.purchase_id,
        orders.source as other_source,
        orders.order_id as other_order_id,
        purchases.amount,
        orders.amount as other_amount,
        purchases.currency,
        orders.currency as other_currency,
        purchases.status,
        orders.status as other_status,
        purchases.ordered_at,
        orders.ordered_at as other_ordered_at,
        purchases.person_id as customer,
        orders.person_id as other_customer,
    from purchases
    inner join orders
        on purchases.purchase_id = orders.purchase_id
    where not orders.is_leading
),

-- What an order does not say is no difference. Systems date an order when it reaches them, so
-- that up to a day is none either.
differing_fields as (
    {% for field in ['amount', 'currency', 'status', 'ordered_at', 'customer'] %}
        {{ 'union all' if not loop.first }}
        select
            purchase_id,
            '{{ field }}' as field,
            'differs' as difference,
            cast({{ field }} as {{ dbt.type_string() }}) as purchase_value,
            other_source,
            other_order_id,
            cast(other_{{ field }} as {{ dbt.type_string() }}) as other_value,
            other_amount,
        from compared_orders
        where
            {{ field }} != other_{{ field }}
            {% if field == 'ordered_at' %}
                and abs({{ seconds_between('ordered_at', 'other_ordered_at') }}) > 24 * 60 * 60
            {% endif %}
    {% endfor %}
),

systems_without as (
    select
        purchases.purchase_id,
        purchases.order_number,
        coalesce(purchases.person_id, purchases.account_id) as customer,
        purchases.ordered_at,
        deliveries.source as other_source,
        deliveries.first_ordered_at,
        deliveries.last_delivered_at,
    from purchases
    inner join sources
        on purchases.source = sources.source
    cross join deliveries
    inner join sources as other_sources
        on deliveries.source = other_sources.source
    left join orders
        on
            purchases.purchase_id = orders.purchase_id
            and deliveries.source = orders.source
    where orders.order_id is null
),

pairs_seen_from_either as (
    select
        order_id,
        other_source,
        other_order_id,
        customer_match,
        nearness,
        is_nearest_both_ways,
    from pairs

    union all

    select
        other_order_id as order_id,
        source as other_source,
        order_id as other_order_id,
        customer_match,
        nearness,
        is_nearest_both_ways,
    from pairs
),

nearest_others as (
    select
        order_id,
        other_source,
        min_by(other_order_id, nearness) as other_order_id,
        -- What is nearest both ways and yet of another purchase is told apart by a third order.
        min_by(customer_match = 'different' or is_nearest_both_ways, nearness)
            as has_other_customer,
    from pairs_seen_from_either
    group by order_id, other_source
),

lacking_orders as (
    select
        systems_without.purchase_id,
        case
            when nearest_others.has_other_customer then 'customer'
            when nearest_others.other_order_id is not null then 'order_number'
            else 'order'
        end as field,
        case
            when nearest_others.has_other_customer then 'other_customer'
            when nearest_others.other_order_id is not null then 'repeated_number'
            else 'missing'
        end as difference,
        case
            when nearest_others.has_other_customer then systems_without.customer
            else systems_without.order_number
        end as purchase_value,
        systems_without.other_source,
        nearest_others.other_order_id,
        case
            when nearest_others.has_other_customer
                then coalesce(orders.person_id, orders.account_id)
            else orders.order_number
        end as other_value,
        orders.amount as other_amount,
    from systems_without
    left join nearest_others
        on
            systems_without.purchase_id = nearest_others.order_id
            and systems_without.other_source = nearest_others.other_source
    left join orders
        on nearest_others.other_order_id = orders.order_id
    -- A system cannot lack what was ordered before it was there, or after it was last asked.
    where
        nearest_others.other_order_id is not null
        or (
            systems_without.ordered_at >= systems_without.first_ordered_at
            and systems_without.ordered_at < systems_without.last_delivered_at
        )
),

differences as (
    select * from differing_fields
    union all
    select * from lacking_orders
)

select
    differences.purchase_id,
    differences.field,
    differences.other_source,
    differences.difference,
    purchases.source,
    purchases.order_number,
    differences.purchase_value,
    differences.other_order_id,
    differences.other_value,
    purchases.status,
    purchases.ordered_at,
    purchases.amount,
    purchases.currency,
    differences.other_amount,
from differences
inner join purchases
    on differences.purchase_id = purchases.purchase_id
