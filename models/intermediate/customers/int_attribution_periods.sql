with

journeys as (
    select
        attribution_id,
        funnel_id,
        month_date,
        is_conversion,
        amount,
    from {{ ref('int_attributed_journeys') }}
),

months as (
    select
        attribution_id,
        funnel_id,
        month_date,
        count(*) filter (where is_conversion) as conversions,
        count(*) filter (where not is_conversion) as failures,
        sum(amount) filter (where is_conversion) as amount,
        count(*) filter (where is_conversion and amount is null) as amount_unknown,
    from journeys
    group by attribution_id, funnel_id, month_date
)

select
    attribution_id,
    funnel_id,
    'all' as period_grain,
    cast(null as date) as period_date,
    attribution_id || ' all' as period_id,
    count(month_date) as months,
    cast(sum(conversions) as bigint) as conversions,
    cast(sum(failures) as bigint) as failures,
    cast(coalesce(sum(amount), 0) as decimal(18, 4)) as amount,
    cast(sum(amount_unknown) as bigint) as amount_unknown,
from months
group by attribution_id, funnel_id

union all

select
    attribution_id,
    funnel_id,
    'month' as period_grain,
    month_date as period_date,
    attribution_id || ' ' || cast(month_date as varchar) as period_id,
    1 as months,
    conversions,
    failures,
    cast(coalesce(amount, 0) as decimal(18, 4)) as amount,
    amount_unknown,
from months
where month_date is not null
