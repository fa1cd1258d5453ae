with

scores as (
    select
        customer_type,
        customer_id,
        first_order_date,
        last_order_date,
        recency_days,
        orders,
        orders_without_amount,
        revenue,
        recency_score,
        frequency_score,
        monetary_score,
        rfm_segment,
    from {{ ref('int_customer_scores') }}
    where is_as_of
),

histories as (
    select
        customer_type,
        customer_id,
        fit,
        repeat_days,
        days_to_last,
        days_observed,
        priced_repeat_days,
        repeat_revenue,
    from {{ ref('int_value_histories') }}
    where fit = 'all'
),

expectations as (
    select
        fit,
        repeat_days,
        days_to_last,
        days_observed,
        probability_alive,
        orders_90_days,
        orders_365_days,
        orders_730_days,
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
        histories.repeat_days,
        histories.days_to_last,
        histories.days_observed,
        expectations.probability_alive,
        expectations.orders_90_days,
        expectations.orders_365_days,
        expectations.orders_730_days,
        {{ expected_order_amount('histories', 'models') }} as order_amount,
    from histories
    inner join models
        on histories.fit = models.fit
    left join expectations
        on
            histories.fit = expectations.fit
            and histories.repeat_days = expectations.repeat_days
            and histories.days_to_last = expectations.days_to_last
            and histories.days_observed = expectations.days_observed
)

select
    scores.customer_type,
    scores.customer_id,
    scores.recency_score,
    scores.frequency_score,
    scores.monetary_score,
    scores.rfm_segment,
    scores.orders > 1 as is_repeat_customer,
    scores.first_order_date,
    scores.last_order_date,
    scores.recency_days,
    scores.orders,
    scores.orders_without_amount,
    scores.revenue,
    cast(
        scores.revenue / nullif(scores.orders - scores.orders_without_amount, 0) as decimal(18, 4)
    ) as average_order_amount,
    cast(predicted.repeat_days as integer) as repeat_days,
    cast(predicted.days_to_last as integer) as days_to_last,
    cast(predicted.days_observed as integer) as days_observed,
    predicted.probability_alive,
    cast(predicted.orders_90_days as decimal(18, 6)) as predicted_orders_90_days,
    cast(predicted.orders_365_days as decimal(18, 6)) as predicted_orders_365_days,
    cast(predicted.orders_730_days as decimal(18, 6)) as predicted_orders_730_days,
    cast(predicted.order_amount as decimal(18, 4)) as predicted_order_amount,
    cast(predicted.orders_90_days * predicted.order_amount as decimal(18, 4))
        as predicted_value_90_days,
    cast(predicted.orders_365_days * predicted.order_amount as decimal(18, 4))
        as predicted_value_365_days,
    cast(predicted.orders_730_days * predicted.order_amount as decimal(18, 4))
        as predicted_value_730_days,
from scores
inner join predicted
    on
        scores.customer_type = predicted.customer_type
        and scores.customer_id = predicted.customer_id
