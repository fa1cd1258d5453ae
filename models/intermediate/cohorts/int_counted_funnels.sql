with

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
),

journeys as (
    select funnel_id,
    from {{ ref('fct_journeys') }}
),

funnel_journeys as (
    select
        funnel_id,
        count(*) as journeys,
    from journeys
    group by all
)

select
    funnels.funnel_id,
    -- The cells of journeys count up from 1.
    cast(-row_number() over (order by funnels.funnel_id) as integer) as cell_before_any_journey,
    coalesce(funnel_journeys.journeys, 0) > {{ var('exact_waits_up_to_journeys') }}
        as waits_are_rounded,
from funnels
left join funnel_journeys
    on funnels.funnel_id = funnel_journeys.funnel_id
