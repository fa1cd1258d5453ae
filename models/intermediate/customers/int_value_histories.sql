with

run as (
    select {{ reporting_date('as_of - interval 1 microsecond') }} as last_known_date,
    from {{ ref('int_run') }}
),

orders as (
    select
        customer_type,
        customer_id,
        order_date,
        amount,
    from {{ ref('int_customer_orders') }}
),

-- Orders of one day are one for the model, which knows no two at one instant.
order_days as (
    select
        customer_type,
        customer_id,
        order_date,
        sum(amount) as revenue,
        count(*) = count(amount) and sum(amount) > 0 as has_amount,
        min(order_date) over (partition by customer_type, customer_id) as first_order_date,
    from orders
    group by customer_type, customer_id, order_date
),

history as (
    select
        run.last_known_date,
        min(order_days.first_order_date) as first_date,
    from run
    cross join order_days
    group by all
),

-- The backtest knows the first two thirds of the days, and predicts the last one.
fits as (
    select
        'all' as fit,
        last_known_date as known_until_date,
        last_known_date as judged_until_date,
    from history
    union all
    select
        'backtest' as fit,
        cast({{ dbt.dateadd(
            'day', '-cast(floor(' ~ dbt.datediff('first_date', 'last_known_date', 'day')
            ~ ' / 3e0) as integer)', 'last_known_date'
        ) }} as date) as known_until_date,
        last_known_date as judged_until_date,
    from history
)

select
    fits.fit,
    order_days.customer_type,
    order_days.customer_id,
    fits.known_until_date,
    {{ dbt.datediff('fits.known_until_date', 'fits.judged_until_date', 'day') }}
        as days_to_judge,
    {{ dbt.datediff('order_days.first_order_date', 'fits.known_until_date', 'day') }}
        as days_observed,
    {{ dbt.datediff(
        'order_days.first_order_date',
        'max(case when order_days.order_date <= fits.known_until_date'
        ~ ' then order_days.order_date end)',
        'day'
    ) }} as days_to_last,
    count(case when order_days.order_date <= fits.known_until_date then 1 end) - 1 as repeat_days,
    count(
        case
            when
                order_days.order_date > order_days.first_order_date
                and order_days.order_date <= fits.known_until_date
                and order_days.has_amount
                then 1
        end
    ) as priced_repeat_days,
    cast(sum(
        case
            when
                order_days.order_date > order_days.first_order_date
                and order_days.order_date <= fits.known_until_date
                and order_days.has_amount
                then order_days.revenue
        end
    ) as decimal(18, 4)) as repeat_revenue,
    count(case when order_days.order_date > fits.known_until_date then 1 end) as judged_days,
    cast(sum(
        case when order_days.order_date > fits.known_until_date then order_days.revenue end
    ) as decimal(18, 4)) as judged_revenue,
from order_days
inner join fits
    on order_days.first_order_date <= fits.known_until_date
group by
    fits.fit,
    fits.known_until_date,
    fits.judged_until_date,
    order_days.customer_type,
    order_days.customer_id,
    order_days.first_order_date
