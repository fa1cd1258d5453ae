with

findings as (
    select
        funnel_id,
        owner_id,
        rule_name,
        period_date,
    from {{ ref('owner_health') }}
),

rule_deals as (
    select
        funnel_id,
        owner_id,
        rule_name,
        period_date,
        deal_id,
        journey_number,
    from {{ ref('int_owner_health_deals') }}
)

select
    findings.funnel_id,
    findings.owner_id,
    findings.rule_name,
    findings.period_date,
    rule_deals.deal_id,
    rule_deals.journey_number,
from findings
inner join rule_deals
    on
        findings.funnel_id = rule_deals.funnel_id
        and findings.owner_id = rule_deals.owner_id
        and findings.rule_name = rule_deals.rule_name
        and findings.period_date is not distinct from rule_deals.period_date
