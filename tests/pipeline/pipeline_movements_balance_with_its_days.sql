-- The waterfall: what was there the day before, plus all that moved, is what is there. A day
-- without rows has nothing. A deal in two buckets, or in none, would show here.
with

days as (
    select
        funnel_id,
        segment_name,
        segment_value,
        snapshot_date as on_date,
        sum(open_deals) as deals,
        sum(open_amount) as amount,
    from {{ ref('pipeline_daily') }}
    group by all
),

changes as (
    select
        funnel_id,
        segment_name,
        segment_value,
        on_date,
        deals as deals_change,
        amount as amount_change,
    from days

    union all

    select
        funnel_id,
        segment_name,
        segment_value,
        cast({{ dbt.dateadd('day', 1, 'on_date') }} as date) as on_date,
        -deals as deals_change,
        -amount as amount_change,
    from days

    union all

    select
        funnel_id,
        segment_name,
        segment_value,
        movement_date as on_date,
        -deals_change as deals_change,
        -amount_change as amount_change,
    from {{ ref('pipeline_movements') }}
),

last_days as (
    select max(on_date) as last_date
    from days
)

select
    changes.funnel_id,
    changes.segment_name,
    changes.segment_value,
    changes.on_date,
    sum(changes.deals_change) as unexplained_deals,
    sum(changes.amount_change) as unexplained_amount,
from changes
inner join last_days
    on changes.on_date <= last_days.last_date
group by all
having sum(changes.deals_change) != 0 or sum(changes.amount_change) != 0
