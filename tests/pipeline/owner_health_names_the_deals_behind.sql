-- A finding whose deals are not listed, or deals without a finding, would show here.
with

findings as (
    select
        funnel_id,
        owner_id,
        rule_name,
        period_date,
        deals,
    from {{ ref('owner_health') }}
    where deals > 0
),

listed_deals as (
    select
        funnel_id,
        owner_id,
        rule_name,
        period_date,
        count(*) as deals,
    from {{ ref('owner_health_deals') }}
    group by all
)

(
    select * from findings
    except
    select * from listed_deals
)

union all

(
    select * from listed_deals
    except
    select * from findings
)
