with

moves as (
    select
        funnel_id,
        segment_name,
        segment_value,
        changed_date,
        movement,
        deal_id,
        deals_change,
        amount_change,
        is_amount_unknown,
    from {{ ref('int_pipeline_moves') }}
    where movement != 'stayed'
)

select
    funnel_id,
    segment_name,
    segment_value,
    changed_date as movement_date,
    movement,
    count(*) as moves,
    count(distinct deal_id) as deals,
    cast(sum(deals_change) as bigint) as deals_change,
    cast(sum(amount_change) as decimal(18, 4)) as amount_change,
    count(*) filter (where is_amount_unknown) as moves_without_amount,
from moves
group by funnel_id, segment_name, segment_value, changed_date, movement
