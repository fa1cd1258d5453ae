with

-- What no segment asks for is to touch nobody.
asked_attributes as (
    select distinct attribute
    from {{ ref('dim_segments') }}
),

subject_customers as (
    select
        subject_key,
        customer_type,
        customer_id,
        known_after,
    from {{ ref('int_subject_customers') }}
),

orders as (
    select
        customer_type,
        customer_id,
        ordered_at,
        amount,
    from {{ ref('int_customer_orders') }}
),

-- Not those of the as-of, which are others in every night.
scores as (
    select
        customer_type,
        customer_id,
        revenue,
        rfm_segment,
        {{ reporting_midnight(dbt.dateadd('day', 1, 'scored_on')) }} as scored_at,
    from {{ ref('int_customer_scores') }}
    where month_date is not null
),

-- What was ordered before the customer was known is known with the customer.
told_orders as (
    select
        subject_customers.subject_key,
        greatest(orders.ordered_at, subject_customers.known_after) as known_after,
        1 as orders,
        orders.amount,
    from subject_customers
    inner join orders
        on
            subject_customers.customer_type = orders.customer_type
            and subject_customers.customer_id = orders.customer_id

    union all

    select
        subject_key,
        min(known_after) as known_after,
        0 as orders,
        0 as amount,
    from subject_customers
    group by subject_key
),

order_instants as (
    select
        subject_key,
        known_after,
        sum(orders) as orders,
        coalesce(sum(amount), 0) as revenue,
    from told_orders
    group by subject_key, known_after
),

running_orders as (
    select
        subject_key,
        known_after,
        cast(sum(orders) over until_then as bigint) as orders,
        cast(sum(revenue) over until_then as decimal(18, 4)) as revenue,
    from order_instants
    window until_then as (
        partition by subject_key
        order by known_after
        rows between unbounded preceding and current row
    )
),

states as (
    select
        subject_key,
        known_after,
        case when orders > 0 then 'existing' else 'new' end as customer_state,
    from running_orders
),

-- Of a person and an account behind one subject the one counts that has spent more.
leading_scores as (
    select
        subject_customers.subject_key,
        -- Whoever enters at that midnight is scored already.
        greatest(scores.scored_at - interval 1 microsecond, subject_customers.known_after)
            as known_after,
        scores.rfm_segment,
    from subject_customers
    inner join scores
        on
            subject_customers.customer_type = scores.customer_type
            and subject_customers.customer_id = scores.customer_id
    qualify
        row_number() over (
            partition by
                subject_customers.subject_key,
                greatest(scores.scored_at - interval 1 microsecond, subject_customers.known_after)
            order by
                scores.scored_at desc,
                scores.revenue desc nulls last,
                scores.customer_type asc,
                scores.customer_id asc
        ) = 1
),

-- What stays as it was is no news, and touches no subject.
score_changes as (
    select
        subject_key,
        known_after,
        rfm_segment,
    from leading_scores
    qualify
        rfm_segment is distinct from lag(rfm_segment) over (
            partition by subject_key
            order by known_after
        )
),

all_changes as (
    select
        subject_key,
        'customer_state' as attribute,
        customer_state as attribute_value,
        known_after,
    from states
    qualify
        customer_state is distinct from lag(customer_state) over (
            partition by subject_key
            order by known_after
        )

    union all

    select
        subject_key,
        'customer_orders' as attribute,
        cast(orders as varchar) as attribute_value,
        known_after,
    from running_orders

    union all

    select
        subject_key,
        'customer_revenue' as attribute,
        cast(revenue as varchar) as attribute_value,
        known_after,
    from running_orders

    union all

    select
        subject_key,
        'customer_rfm_segment' as attribute,
        rfm_segment as attribute_value,
        known_after,
    from score_changes
)

select
    all_changes.subject_key,
    all_changes.attribute,
    all_changes.attribute_value,
    all_changes.known_after,
from all_changes
inner join asked_attributes
    on all_changes.attribute = asked_attributes.attribute
