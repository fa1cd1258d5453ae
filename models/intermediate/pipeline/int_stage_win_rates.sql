with

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        outcome,
        {{ cohort_date('month', 'ended_date') }} as ended_month,
    from {{ ref('int_deals') }}
    where outcome in ('won', 'lost') and ended_date is not null
),

-- Once a stage, however often a deal came to it.
visited_stages as (
    select distinct
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
    from {{ ref('fct_stage_visits') }}
    where stage_kind = 'open'
),

closed_by_month as (
    select
        deals.funnel_id,
        visited_stages.stage_id,
        deals.ended_month,
        count(*) as closed,
        count(*) filter (where deals.outcome = 'won') as won,
    from deals
    inner join visited_stages
        on
            deals.funnel_id = visited_stages.funnel_id
            and deals.deal_id = visited_stages.subject_id
            and deals.journey_number = visited_stages.journey_number
    group by all
)

select
    funnel_id,
    stage_id,
    -- Known from the first day on of the month after the last closing that is counted.
    cast({{ dbt.dateadd('month', 1, 'ended_month') }} as date) as known_from,
    cast(sum(won) over earlier as bigint) as won,
    cast(sum(closed) over earlier as bigint) as closed,
from closed_by_month
window earlier as (
    partition by funnel_id, stage_id
    order by ended_month
    rows between unbounded preceding and current row
)
