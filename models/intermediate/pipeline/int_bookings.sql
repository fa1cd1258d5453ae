with

deals as (
    select
        funnel_id,
        ended_date,
        ended_at,
        amount,
    from {{ ref('int_deals') }}
    where outcome = 'won' and ended_at is not null
),

periods as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        made_at,
        period_date,
        next_period_date,
        is_over,
    from {{ ref('int_forecast_periods') }}
)

select
    periods.funnel_id,
    periods.period_grain,
    periods.periods_ahead,
    periods.made_on,
    periods.period_date,
    periods.next_period_date,
    periods.is_over,
    count(deals.ended_at) as wins,
    cast(coalesce(sum(deals.amount), 0) as decimal(18, 4)) as amount,
    count(deals.ended_at) filter (where deals.amount is null) as wins_without_amount,
    count(deals.ended_at) filter (where deals.ended_at < periods.made_at) as wins_before,
    cast(
        coalesce(sum(deals.amount) filter (where deals.ended_at < periods.made_at), 0)
        as decimal(18, 4)
    ) as amount_before,
from periods
left join deals
    on
        periods.funnel_id = deals.funnel_id
        and periods.period_date <= deals.ended_date
        and periods.next_period_date > deals.ended_date
group by all
