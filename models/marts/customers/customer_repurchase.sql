with

run as (
    select {{ reporting_date('as_of - interval 1 microsecond') }} as last_known_date,
    from {{ ref('int_run') }}
),

horizons as (
    select horizon_days
    from {{ ref('horizons') }}
),

orders as (
    select
        customer_type,
        customer_id,
        order_date,
        order_number,
    from {{ ref('int_customer_orders') }}
),

customers as (
    select
        customer_type,
        customer_id,
        max(case when order_number = 1 then order_date end) as first_order_date,
        max(case when order_number = 2 then order_date end) as second_order_date,
    from orders
    where order_number in (1, 2)
    group by all
),

-- Counted by day first: a horizon asks no more of a customer than the two dates.
waits as (
    select
        customers.first_order_date,
        {{ dbt.datediff('customers.first_order_date', 'customers.second_order_date', 'day') }}
            as days_to_second,
        {{ dbt.datediff('customers.first_order_date', 'run.last_known_date', 'day') }}
            as days_followed,
        count(*) as customers,
    from customers
    cross join run
    group by all
),

{% for grain in cohort_grains() if grain in ('all', 'year', 'quarter', 'month') %}
    {{ grain }}_cohorts as (
        select
            '{{ grain }}' as cohort_grain,
            {{ cohort_date(grain, 'first_order_date') }} as cohort_date,
            days_to_second,
            days_followed,
            customers,
        from waits
    ),
{% endfor %}

cohort_waits as (
    {% for grain in cohort_grains() if grain in ('all', 'year', 'quarter', 'month') %}
        {{ 'union all' if not loop.first }}
        select * from {{ grain }}_cohorts
    {% endfor %}
),

followed as (
    select
        cohort_waits.cohort_grain,
        cohort_waits.cohort_date,
        horizons.horizon_days,
        cast(sum(cohort_waits.customers) as bigint) as customers,
        cast(coalesce(sum(
            case
                when cohort_waits.days_followed >= horizons.horizon_days
                    then cohort_waits.customers
            end
        ), 0) as bigint) as followed_customers,
        cast(coalesce(sum(
            case
                when
                    cohort_waits.days_followed >= horizons.horizon_days
                    and cohort_waits.days_to_second <= horizons.horizon_days
                    then cohort_waits.customers
            end
        ), 0) as bigint) as repurchased_customers,
    from cohort_waits
    cross join horizons
    group by all
)

select
    cohort_grain,
    cohort_date,
    horizon_days,
    followed_customers = customers as is_mature,
    customers,
    followed_customers,
    repurchased_customers,
    {{ rate('repurchased_customers', 'followed_customers') }} as repurchase_rate,
    {{ wilson_low('repurchased_customers', 'followed_customers') }} as repurchase_rate_low,
    {{ wilson_high('repurchased_customers', 'followed_customers') }} as repurchase_rate_high,
    {{ is_reportable('followed_customers') }} as repurchase_rate_is_reportable,
from followed
