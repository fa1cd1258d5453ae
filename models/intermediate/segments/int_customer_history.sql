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

order_instants as (
    select
        subject_customers.subject_key,
        orders.ordered_at,
        count(*) as orders,
        coalesce(sum(orders.amount), 0) as revenue,
    from subject_customers
    inner join orders
        on
            subject_customers.customer_type = orders.customer_type
            and subject_customers.customer_id = orders.customer_id
    group by subject_customers.subject_key, orders.ordered_at
),

running_orders as (
    select
        subject_key,
        ordered_at,
        row_number() over until_then as order_instant_number,
        sum(orders) over until_then as orders,
        cast(sum(revenue) over until_then as decimal(18, 4)) as revenue,
    from order_instants
    window until_then as (
        partition by subject_key
        order by ordered_at
        rows between unbounded preceding and current row
    )
),

-- Of a person and an account behind one subject the one counts that has spent more.
leading_scores as (
    select
        subject_customers.subject_key,
        scores.scored_at,
        scores.rfm_segment,
    from subject_customers
    inner join scores
        on
            subject_customers.customer_type = scores.customer_type
            and subject_customers.customer_id = scores.customer_id
    qualify
        row_number() over (
            partition by subject_customers.subject_key, scores.scored_at
            order by
                scores.revenue desc nulls last,
                scores.customer_type asc,
                scores.customer_id asc
        ) = 1
),

-- What stays as it was is no news, and touches no subject.
score_changes as (
    select
        subject_key,
        scored_at,
        rfm_segment,
    from leading_scores
    qualify
        rfm_segment is distinct from lag(rfm_segment) over (
            partition by subject_key
            order by scored_at
        )
),

all_changes as (
    select
        subject_key,
        'customer_state' as attribute,
        'existing' as attribute_value,
        ordered_at as known_after,
    from running_orders
    where order_instant_number = 1

    union all

    select
        subject_key,
        'customer_orders' as attribute,
        cast(orders as varchar) as attribute_value,
        ordered_at as known_after,
    from running_orders

    union all

    select
        subject_key,
        'customer_revenue' as attribute,
        cast(revenue as varchar) as attribute_value,
        ordered_at as known_after,
    from running_orders

    union all

    -- Whoever enters at that midnight is scored already.
    select
        subject_key,
        'customer_rfm_segment' as attribute,
        rfm_segment as attribute_value,
        scored_at - interval 1 microsecond as known_after,
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
