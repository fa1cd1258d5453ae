with

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
    where {{ is_of_deals() }}
),

owner_health_rules as (
    select
        rule_name,
        funnel_id,
        at_least,
        at_most,
        cases_at_least,
        within_hours,
        activity_types,
        period_grain,
        meaning,
    from {{ ref('owner_health_rules') }}
),

rules as (
    select
        funnels.funnel_id,
        owner_health_rules.rule_name,
        owner_health_rules.at_least,
        owner_health_rules.at_most,
        owner_health_rules.cases_at_least,
        owner_health_rules.within_hours,
        owner_health_rules.activity_types,
        owner_health_rules.period_grain,
        owner_health_rules.meaning,
        owner_health_rules.funnel_id is not null as is_of_funnel,
    from owner_health_rules
    cross join funnels
    where coalesce(owner_health_rules.funnel_id, funnels.funnel_id) = funnels.funnel_id
)

-- What is declared for a funnel goes before what is declared for all.
select
    funnel_id,
    rule_name,
    at_least,
    at_most,
    cases_at_least,
    within_hours,
    case
        when rule_name = 'meetings_without_pipeline'
            then coalesce(activity_types, 'meeting;visit')
    end as activity_types,
    case
        when rule_name = 'moved_back_before_quota' then coalesce(period_grain, 'month')
    end as period_grain,
    meaning,
from rules
qualify row_number() over (partition by funnel_id, rule_name order by is_of_funnel desc) = 1
