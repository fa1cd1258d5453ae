with

run as (
    select as_of from {{ ref('int_run') }}
),

rules as (
    select
        funnel_id,
        rule_name,
        at_least,
        at_most,
        cases_at_least,
        within_hours,
        activity_types,
        period_grain,
        meaning,
    from {{ ref('int_owner_health_rules') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        owner_id,
        outcome,
        amount,
    from {{ ref('int_deals') }}
    where owner_id is not null
),

rule_deals as (
    select
        funnel_id,
        owner_id,
        rule_name,
        period_date,
    from {{ ref('int_owner_health_deals') }}
),

owners as (
    select
        owner_id,
        is_active,
    from {{ ref('stg_owners') }}
),

activities as (
    select
        record_id,
        owner_id,
        lower(activity_type) as activity_type,
        occurred_at,
    from {{ ref('stg_activities') }}
),

owner_periods as (
    select
        funnel_id,
        name,
        period_date,
    from {{ ref('int_owner_periods') }}
    where level = 'seller' and period_grain = 'month' and is_full and name != '(missing)'
),

performances as (
    select
        funnel_id,
        name,
        period_date,
        won,
    from {{ ref('owner_performance') }}
    where level = 'seller' and period_grain = 'month'
),

counted_deals as (
    select
        funnel_id,
        owner_id,
        rule_name,
        period_date,
        count(*) as deals,
    from rule_deals
    group by all
),

sellers as (
    select distinct
        funnel_id,
        owner_id,
    from deals
),

open_amounts as (
    select
        funnel_id,
        owner_id,
        count(amount) as open_amounts,
    from deals
    where outcome = 'open'
    group by all
),

full_months as (
    select
        owner_periods.funnel_id,
        owner_periods.name as owner_id,
        owner_periods.period_date,
        performances.won,
        lag(performances.won) over (
            partition by owner_periods.funnel_id, owner_periods.name
            order by owner_periods.period_date
        ) as won_before,
    from owner_periods
    inner join performances
        on
            owner_periods.funnel_id = performances.funnel_id
            and owner_periods.name = performances.name
            and owner_periods.period_date = performances.period_date
),

sorted_months as (
    select
        funnel_id,
        owner_id,
        {{ sorted_numbers('won') }} as sorted_won,
    from full_months
    group by all
),

usual_months as (
    select
        funnel_id,
        owner_id,
        {{ quantile_of_sorted('sorted_won', 0.5) }} as median_won,
    from sorted_months
),

meeting_types as (
    select
        funnel_id,
        within_hours,
        lower({{ exploded(split_text('activity_types', ';')) }}) as activity_type,
    from rules
    where rule_name = 'meetings_without_pipeline'
),

deals_of_funnels as (
    select distinct
        funnel_id,
        deal_id,
    from deals
),

deals_of_any_funnel as (
    select distinct deal_id from deals_of_funnels
),

-- A meeting about a deal of another funnel says nothing of this one.
meetings as (
    select
        meeting_types.funnel_id,
        activities.owner_id,
        count(*) as meetings,
    from meeting_types
    cross join run
    inner join activities
        on
            meeting_types.activity_type = activities.activity_type
            and run.as_of > activities.occurred_at
            and {{ hours_after('activities.occurred_at', 'meeting_types.within_hours') }}
            >= run.as_of
    left join deals_of_funnels
        on
            meeting_types.funnel_id = deals_of_funnels.funnel_id
            and activities.record_id = deals_of_funnels.deal_id
    left join deals_of_any_funnel
        on activities.record_id = deals_of_any_funnel.deal_id
    where
        deals_of_funnels.deal_id is not null
        or deals_of_any_funnel.deal_id is null
    group by all
),

load_checks as (
    select
        sellers.funnel_id,
        sellers.owner_id,
        rules.rule_name,
        cast(null as date) as period_date,
        coalesce(counted_deals.deals, 0) as found,
        rules.at_least as expected_at_least,
        rules.at_most as expected_at_most,
        case
            when rules.rule_name = 'meetings_without_pipeline'
                then
                    'meetings in the last ' || cast(rules.within_hours as varchar) || ' hours: '
                    || cast(meetings.meetings as varchar) || ', '
            else ''
        end || 'open deals: ' || cast(coalesce(counted_deals.deals, 0) as varchar) as finding,
    from sellers
    inner join rules
        on sellers.funnel_id = rules.funnel_id
    left join counted_deals
        on
            sellers.funnel_id = counted_deals.funnel_id
            and sellers.owner_id = counted_deals.owner_id
            and rules.rule_name = counted_deals.rule_name
    left join owners
        on sellers.owner_id = owners.owner_id
    left join meetings
        on
            sellers.funnel_id = meetings.funnel_id
            and sellers.owner_id = meetings.owner_id
    where
        rules.rule_name = 'too_many_active'
        -- Of those who left nobody expects new deals.
        or (rules.rule_name = 'fewer_active_deals' and coalesce(owners.is_active, true))
        or (
            rules.rule_name = 'meetings_without_pipeline'
            and meetings.meetings >= rules.cases_at_least
        )
),

month_checks as (
    select
        full_months.funnel_id,
        full_months.owner_id,
        rules.rule_name,
        full_months.period_date,
        full_months.won as found,
        rules.at_least as expected_at_least,
        rules.at_most as expected_at_most,
        'wins in the month: ' || cast(full_months.won as varchar) || case
            when rules.rule_name = 'bumper_then_none'
                then
                    ', in the month before: ' || cast(full_months.won_before as varchar)
                    || ', median of all months: '
                    || cast(cast(usual_months.median_won as decimal(18, 1)) as varchar)
            else ''
        end as finding,
    from full_months
    inner join rules
        on full_months.funnel_id = rules.funnel_id
    inner join usual_months
        on
            full_months.funnel_id = usual_months.funnel_id
            and full_months.owner_id = usual_months.owner_id
    where
        rules.rule_name = 'signings_outside'
        or (
            rules.rule_name = 'bumper_then_none'
            and full_months.won_before >= rules.cases_at_least
            and full_months.won_before >= 2 * usual_months.median_won
        )
),

size_checks as (
    select
        counted_deals.funnel_id,
        counted_deals.owner_id,
        counted_deals.rule_name,
        counted_deals.period_date,
        counted_deals.deals as found,
        rules.at_least as expected_at_least,
        -- One of another size would do.
        open_amounts.open_amounts - 1 as expected_at_most,
        'open deals, all of the ' || case
            when counted_deals.rule_name = 'only_large' then 'largest' else 'smallest'
        end || ' size: ' || cast(counted_deals.deals as varchar) as finding,
    from counted_deals
    inner join rules
        on
            counted_deals.funnel_id = rules.funnel_id
            and counted_deals.rule_name = rules.rule_name
    inner join open_amounts
        on
            counted_deals.funnel_id = open_amounts.funnel_id
            and counted_deals.owner_id = open_amounts.owner_id
    where
        counted_deals.rule_name in ('only_large', 'only_small')
        and counted_deals.deals >= rules.cases_at_least
),

habit_checks as (
    select
        counted_deals.funnel_id,
        counted_deals.owner_id,
        counted_deals.rule_name,
        counted_deals.period_date,
        counted_deals.deals as found,
        rules.at_least as expected_at_least,
        rules.at_most as expected_at_most,
        case counted_deals.rule_name
            when 'no_next_step' then 'open deals without a next step: '
            when 'won_never_in_funnel'
                then
                    'wins never in an open stage, or within '
                    || cast(rules.within_hours as varchar) || ' hours of the creation: '
            else
                'deals moved back in the last ' || cast(rules.within_hours as varchar)
                || ' hours of the ' || rules.period_grain || ': '
        end || cast(counted_deals.deals as varchar) as finding,
    from counted_deals
    inner join rules
        on
            counted_deals.funnel_id = rules.funnel_id
            and counted_deals.rule_name = rules.rule_name
    where
        counted_deals.rule_name in (
            'no_next_step', 'won_never_in_funnel', 'moved_back_before_quota'
        )
),

checks as (
    select * from load_checks
    union all
    select * from month_checks
    union all
    select * from size_checks
    union all
    select * from habit_checks
)

select
    checks.funnel_id,
    checks.owner_id,
    checks.rule_name,
    checks.period_date,
    checks.finding,
    rules.meaning,
    checks.found,
    cast(checks.expected_at_least as bigint) as expected_at_least,
    cast(checks.expected_at_most as bigint) as expected_at_most,
    coalesce(counted_deals.deals, 0) as deals,
from checks
inner join rules
    on
        checks.funnel_id = rules.funnel_id
        and checks.rule_name = rules.rule_name
left join counted_deals
    on
        checks.funnel_id = counted_deals.funnel_id
        and checks.owner_id = counted_deals.owner_id
        and checks.rule_name = counted_deals.rule_name
        and checks.period_date is not distinct from counted_deals.period_date
where
    checks.found < checks.expected_at_least
    or checks.found > checks.expected_at_most
