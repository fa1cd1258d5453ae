with

score_dates as (
    select
        scored_on,
        month_date,
        is_as_of,
    from {{ ref('int_customer_score_dates') }}
),

orders as (
    select
        customer_type,
        customer_id,
        order_date,
        amount,
    from {{ ref('int_customer_orders') }}
),

rfm_cuts as (
    select
        measure,
        score,
        bound,
    from {{ ref('rfm_cuts') }}
),

rfm_segments as (
    select
        rfm_segment,
        recency_from,
        recency_to,
        frequency_from,
        frequency_to,
        monetary_from,
        monetary_to,
    from {{ ref('rfm_segments') }}
),

cuts as (
    select
        max(case when measure = 'recency' and score = 5 then bound end) as recency_5,
        max(case when measure = 'recency' and score = 4 then bound end) as recency_4,
        max(case when measure = 'recency' and score = 3 then bound end) as recency_3,
        max(case when measure = 'recency' and score = 2 then bound end) as recency_2,
        max(case when measure = 'frequency' and score = 5 then bound end) as frequency_5,
        max(case when measure = 'frequency' and score = 4 then bound end) as frequency_4,
        max(case when measure = 'frequency' and score = 3 then bound end) as frequency_3,
        max(case when measure = 'frequency' and score = 2 then bound end) as frequency_2,
        max(case when measure = 'monetary' and score = 5 then bound end) as monetary_5,
        max(case when measure = 'monetary' and score = 4 then bound end) as monetary_4,
        max(case when measure = 'monetary' and score = 3 then bound end) as monetary_3,
        max(case when measure = 'monetary' and score = 2 then bound end) as monetary_2,
    from rfm_cuts
),

days_of_orders as (
    select
        customer_type,
        customer_id,
        order_date,
        count(*) as orders,
        count(*) - count(amount) as orders_without_amount,
        sum(amount) as revenue,
    from orders
    group by all
),

-- An order counts from the first of the dates on which it is known.
dated_orders as (
    select
        days_of_orders.customer_type,
        days_of_orders.customer_id,
        days_of_orders.order_date,
        days_of_orders.orders,
        days_of_orders.orders_without_amount,
        days_of_orders.revenue,
        score_dates.scored_on,
    from days_of_orders
    asof inner join score_dates
        on days_of_orders.order_date <= score_dates.scored_on
),

periods as (
    select
        customer_type,
        customer_id,
        scored_on,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        sum(orders) as orders,
        sum(orders_without_amount) as orders_without_amount,
        sum(revenue) as revenue,
    from dated_orders
    group by all
),

customers as (
    select
        customer_type,
        customer_id,
        min(first_order_date) as first_order_date,
        min(scored_on) as first_scored_on,
    from periods
    group by all
),

customer_dates as (
    select
        customers.customer_type,
        customers.customer_id,
        customers.first_order_date,
        score_dates.scored_on,
        score_dates.month_date,
        score_dates.is_as_of,
    from customers
    inner join score_dates
        on customers.first_scored_on <= score_dates.scored_on
),

known_orders as (
    select
        customer_dates.customer_type,
        customer_dates.customer_id,
        customer_dates.scored_on,
        customer_dates.month_date,
        customer_dates.is_as_of,
        customer_dates.first_order_date,
        max(periods.last_order_date) over until_then as last_order_date,
        cast(sum(periods.orders) over until_then as bigint) as orders,
        cast(sum(periods.orders_without_amount) over until_then as bigint)
            as orders_without_amount,
        cast(sum(periods.revenue) over until_then as decimal(18, 4)) as revenue,
        cast(coalesce(periods.orders, 0) as bigint) as orders_since,
        cast(coalesce(periods.orders_without_amount, 0) as bigint)
            as orders_without_amount_since,
        cast(periods.revenue as decimal(18, 4)) as revenue_since,
    from customer_dates
    left join periods
        on
            customer_dates.customer_type = periods.customer_type
            and customer_dates.customer_id = periods.customer_id
            and customer_dates.scored_on = periods.scored_on
    window until_then as (
        partition by customer_dates.customer_type, customer_dates.customer_id
        order by customer_dates.scored_on
        rows between unbounded preceding and current row
    )
),

ranked as (
    select
        *,
        {{ dbt.datediff('last_order_date', 'scored_on', 'day') }} as recency_days,
        rank() over (partition by scored_on order by last_order_date) as recency_rank,
        rank() over (partition by scored_on order by orders) as frequency_rank,
        rank() over (partition by scored_on, revenue is null order by revenue) as monetary_rank,
        count(*) over (partition by scored_on) as customers,
        count(revenue) over (partition by scored_on) as customers_with_revenue,
    from known_orders
),

scored as (
    select
        ranked.*,
        case
            when cuts.recency_5 is null
                then {{ fifth_of_rank('ranked.recency_rank', 'ranked.customers') }}
            when ranked.recency_days <= cuts.recency_5 then 5
            when ranked.recency_days <= cuts.recency_4 then 4
            when ranked.recency_days <= cuts.recency_3 then 3
            when ranked.recency_days <= cuts.recency_2 then 2
            else 1
        end as recency_score,
        case
            when cuts.frequency_5 is null
                then {{ fifth_of_rank('ranked.frequency_rank', 'ranked.customers') }}
            when ranked.orders >= cuts.frequency_5 then 5
            when ranked.orders >= cuts.frequency_4 then 4
            when ranked.orders >= cuts.frequency_3 then 3
            when ranked.orders >= cuts.frequency_2 then 2
            else 1
        end as frequency_score,
        case
            when ranked.revenue is null then null
            when cuts.monetary_5 is null
                then {{ fifth_of_rank('ranked.monetary_rank', 'ranked.customers_with_revenue') }}
            when ranked.revenue >= cuts.monetary_5 then 5
            when ranked.revenue >= cuts.monetary_4 then 4
            when ranked.revenue >= cuts.monetary_3 then 3
            when ranked.revenue >= cuts.monetary_2 then 2
            else 1
        end as monetary_score,
    from ranked
    cross join cuts
),

scores as (
    select 1 as score
    union all
    select 2 as score
    union all
    select 3 as score
    union all
    select 4 as score
    union all
    select 5 as score
),

-- Spelled out, as joins on ranges of three scores would go through all pairs of rows.
segments_of_scores as (
    select
        recency.score as recency_score,
        frequency.score as frequency_score,
        monetary.score as monetary_score,
        rfm_segments.rfm_segment,
    from rfm_segments
    inner join scores as recency
        on recency.score between rfm_segments.recency_from and rfm_segments.recency_to
    inner join scores as frequency
        on frequency.score between rfm_segments.frequency_from and rfm_segments.frequency_to
    inner join scores as monetary
        on monetary.score between rfm_segments.monetary_from and rfm_segments.monetary_to
)

select
    scored.customer_type,
    scored.customer_id,
    scored.scored_on,
    scored.month_date,
    scored.is_as_of,
    scored.first_order_date,
    scored.last_order_date,
    scored.recency_days,
    scored.orders,
    scored.orders_without_amount,
    scored.revenue,
    scored.orders_since,
    scored.orders_without_amount_since,
    scored.revenue_since,
    scored.recency_score,
    scored.frequency_score,
    scored.monetary_score,
    case
        when scored.monetary_score is null then '(unknown amount)'
        else coalesce(segments_of_scores.rfm_segment, '(undeclared)')
    end as rfm_segment,
from scored
left join segments_of_scores
    on
        scored.recency_score = segments_of_scores.recency_score
        and scored.frequency_score = segments_of_scores.frequency_score
        and scored.monetary_score = segments_of_scores.monetary_score
