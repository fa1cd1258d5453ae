with

scores as (
    select
        customer_type,
        customer_id,
        month_date,
        rfm_segment,
        orders_since,
        orders_without_amount_since,
        revenue_since,
    from {{ ref('int_customer_scores') }}
    where month_date is not null
),

moves as (
    select
        month_date,
        coalesce(
            lag(rfm_segment) over (
                partition by customer_type, customer_id
                order by month_date
            ),
            '(first order)'
        ) as from_segment,
        rfm_segment as to_segment,
        orders_since,
        orders_without_amount_since,
        revenue_since,
    from scores
),

counted as (
    select
        month_date,
        from_segment,
        to_segment,
        count(*) as customers,
        cast(sum(orders_since) as bigint) as orders,
        cast(sum(orders_without_amount_since) as bigint) as orders_without_amount,
        sum(revenue_since) as revenue,
    from moves
    group by all
),

totals as (
    select
        month_date,
        from_segment,
        cast(sum(customers) as bigint) as from_customers,
    from counted
    group by all
)

select
    counted.month_date,
    counted.from_segment,
    counted.to_segment,
    counted.customers,
    totals.from_customers,
    {{ rate('counted.customers', 'totals.from_customers') }} as move_rate,
    {{ wilson_low('counted.customers', 'totals.from_customers') }} as move_rate_low,
    {{ wilson_high('counted.customers', 'totals.from_customers') }} as move_rate_high,
    {{ is_reportable('totals.from_customers') }} as move_rate_is_reportable,
    counted.orders,
    counted.orders_without_amount,
    case
        when counted.orders = 0 then 0
        else cast(counted.revenue as decimal(18, 4))
    end as revenue,
from counted
inner join totals
    on
        counted.month_date = totals.month_date
        and counted.from_segment = totals.from_segment
