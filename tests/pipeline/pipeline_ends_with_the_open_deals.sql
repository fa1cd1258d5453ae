-- What the days end with, counted by changes, are the deals that the journeys call open.
with

last_days as (
    select
        funnel_id,
        max(snapshot_date) as snapshot_date,
    from {{ ref('pipeline_daily') }}
    group by funnel_id
),

found as (
    select
        days.funnel_id,
        days.stage_id,
        days.open_deals,
    from {{ ref('pipeline_daily') }} as days
    inner join last_days
        on
            days.funnel_id = last_days.funnel_id
            and days.snapshot_date = last_days.snapshot_date
    where days.segment_name = 'all'
),

last_journeys as (
    select
        funnel_id,
        stage_id,
        outcome,
        entered_at,
    from {{ ref('int_deals') }}
    qualify row_number() over (
        partition by funnel_id, deal_id
        order by journey_number desc
    ) = 1
),

expected as (
    select
        funnel_id,
        stage_id,
        count(*) as open_deals,
    from last_journeys
    where outcome = 'open' and entered_at is not null
    group by all
)

select
    coalesce(found.funnel_id, expected.funnel_id) as funnel_id,
    coalesce(found.stage_id, expected.stage_id) as stage_id,
    found.open_deals as found_deals,
    expected.open_deals as expected_deals,
from found
full outer join expected
    on
        found.funnel_id = expected.funnel_id
        and found.stage_id = expected.stage_id
where coalesce(found.open_deals, 0) != coalesce(expected.open_deals, 0)
