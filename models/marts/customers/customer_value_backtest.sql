with

histories as (
    select
        fit,
        customer_type,
        customer_id,
        repeat_days,
        days_to_last,
        days_observed,
        days_to_judge,
        priced_repeat_days,
        repeat_revenue,
        judged_days,
        judged_revenue,
    from {{ ref('int_value_histories') }}
    where fit = 'backtest'
),

expectations as (
    select
        fit,
        repeat_days,
        days_to_last,
        days_observed,
        orders_to_judge,
    from {{ ref('int_value_expectations') }}
),

models as (
    select
        fit,
        p,
        q,
        v,
    from {{ ref('int_value_models') }}
),

predicted as (
    select
        histories.customer_type,
        histories.customer_id,
        histories.judged_days,
        histories.judged_revenue,
        cast(expectations.orders_to_judge as decimal(18, 6)) as orders,
        cast(
            expectations.orders_to_judge * {{ expected_order_amount('histories', 'models') }}
            as decimal(18, 4)
        ) as value,
        -- Each goes on as before: as many orders a day as since, and with, the first.
        cast(
            cast(histories.repeat_days as double) * histories.days_to_judge
            / nullif(histories.days_observed, 0) as decimal(18, 6)
        ) as naive_orders,
    from histories
    inner join models
        on histories.fit = models.fit
    inner join expectations
        on
            histories.fit = expectations.fit
            and histories.repeat_days = expectations.repeat_days
            and histories.days_to_last = expectations.days_to_last
            and histories.days_observed = expectations.days_observed
),

tenths as (
    select
        cast(ntile(10) over (order by orders, customer_type, customer_id) as integer) as tenth,
        orders,
        value,
        naive_orders,
        judged_days,
        judged_revenue,
    from predicted
),

scopes as (
    select false as by_tenth
    union all
    select true as by_tenth
)

select
    case when scopes.by_tenth then tenths.tenth else 0 end as tenth,
    count(*) as customers,
    cast(sum(tenths.orders) as decimal(18, 6)) as predicted_orders,
    cast(sum(coalesce(tenths.naive_orders, 0)) as decimal(18, 6)) as naive_orders,
    cast(sum(tenths.judged_days) as bigint) as actual_orders,
    count(case when tenths.judged_days > 0 then 1 end) as customers_who_came_back,
    cast(sum(tenths.value) as decimal(18, 4)) as predicted_value,
    cast(sum(coalesce(tenths.judged_revenue, 0)) as decimal(18, 4)) as actual_value,
from tenths
cross join scopes
group by all
