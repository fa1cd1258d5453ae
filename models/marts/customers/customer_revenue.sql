with

run as (
    select {{ reporting_date('as_of') }} as as_of_date,
    from {{ ref('int_run') }}
),

orders as (
    select
        customer_type,
        customer_id,
        order_date,
        order_number,
        amount,
    from {{ ref('int_customer_orders') }}
),

days_of_orders as (
    select
        customer_type,
        customer_id,
        order_date,
        count(*) as orders,
        count(amount) as orders_with_amount,
        sum(amount) as revenue,
        bool_or(order_number = 1) as has_first_order,
    from orders
    group by all
),

{% for grain in cohort_grains() if grain != 'day' %}
    {{ grain }}_customers as (
        select
            '{{ grain }}' as period_grain,
            {{ cohort_date(grain, 'order_date') }} as period_date,
            customer_type,
            customer_id,
            sum(orders) as orders,
            sum(orders_with_amount) as orders_with_amount,
            sum(revenue) as revenue,
            bool_or(has_first_order) as is_new,
        from days_of_orders
        group by all
    ),
{% endfor %}

period_customers as (
    {% for grain in cohort_grains() if grain != 'day' %}
        {{ 'union all' if not loop.first }}
        select * from {{ grain }}_customers
    {% endfor %}
),

periods as (
    select
        period_grain,
        period_date,
        count(*) as customers,
        count(case when is_new then 1 end) as new_customers,
        count(case when not is_new then 1 end) as returning_customers,
        count(case when orders > 1 then 1 end) as repeat_customers,
        cast(sum(orders) as bigint) as orders,
        cast(sum(orders - orders_with_amount) as bigint) as orders_without_amount,
        cast(sum(revenue) as decimal(18, 4)) as revenue,
        cast(sum(case when is_new then revenue end) as decimal(18, 4)) as new_revenue,
        cast(sum(case when not is_new then revenue end) as decimal(18, 4)) as returning_revenue,
    from period_customers
    group by all
)

select
    periods.period_grain,
    periods.period_date,
    periods.period_grain != 'all'
    and {{ cohort_date_after('periods.period_grain', 'periods.period_date') }} <= run.as_of_date
        as is_complete,
    periods.customers,
    periods.new_customers,
    periods.returning_customers,
    {{ rate('periods.returning_customers', 'periods.customers') }} as returning_rate,
    {{ wilson_low('periods.returning_customers', 'periods.customers') }} as returning_rate_low,
    {{ wilson_high('periods.returning_customers', 'periods.customers') }} as returning_rate_high,
    periods.repeat_customers,
    {{ rate('periods.repeat_customers', 'periods.customers') }} as repeat_rate,
    {{ wilson_low('periods.repeat_customers', 'periods.customers') }} as repeat_rate_low,
    {{ wilson_high('periods.repeat_customers', 'periods.customers') }} as repeat_rate_high,
    {{ is_reportable('periods.customers') }} as rates_are_reportable,
    periods.orders,
    periods.orders_without_amount,
    periods.revenue,
    case when periods.new_customers = 0 then 0 else periods.new_revenue end as new_revenue,
    case
        when periods.returning_customers = 0 then 0
        else periods.returning_revenue
    end as returning_revenue,
from periods
cross join run
