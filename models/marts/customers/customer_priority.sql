with

run as (
    select
        as_of,
        {{ reporting_date('as_of') }} as as_of_date,
    from {{ ref('int_run') }}
),

priority_settings as (
    select
        funnel_id,
        large_from,
        soon_within_days,
    from {{ ref('priority_settings') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        account_id,
        owner_id,
        expected_close_date,
        amount,
    from {{ ref('int_deals') }}
    where outcome = 'open'
),

key_accounts as (
    select account_id,
    from {{ ref('key_accounts') }}
    where is_key_account
),

activities as (
    select
        activities.record_id,
        count(case when activities.occurred_at >= {{ days_before('run.as_of', 30) }} then 1 end)
            as activities_30_days,
        max(activities.occurred_at) as last_activity_at,
    from {{ ref('int_record_activities') }} as activities
    cross join run
    group by all
),

placed as (
    select
        deals.funnel_id,
        deals.deal_id,
        deals.account_id,
        deals.owner_id,
        deals.amount >= priority_settings.large_from as is_large,
        {{ dbt.datediff('run.as_of_date', 'deals.expected_close_date', 'day') }}
        <= priority_settings.soon_within_days as is_soon,
        key_accounts.account_id is not null as is_key_account,
        deals.expected_close_date,
        {{ dbt.datediff('run.as_of_date', 'deals.expected_close_date', 'day') }} as days_to_close,
        deals.amount,
        coalesce(activities.activities_30_days, 0) as activities_30_days,
        activities.last_activity_at,
    from deals
    inner join priority_settings
        on deals.funnel_id = priority_settings.funnel_id
    cross join run
    left join key_accounts
        on deals.account_id = key_accounts.account_id
    left join activities
        on deals.deal_id = activities.record_id
),

classed as (
    select
        *,
        case
            when is_large and is_soon then 'A'
            when not is_large and is_soon then 'B'
            when is_large and not is_soon then 'C'
            when not is_large and not is_soon then 'D'
            else 'unknown'
        end as priority_class,
    from placed
)

select
    funnel_id,
    deal_id,
    account_id,
    owner_id,
    priority_class,
    case priority_class
        when 'A' then 'high'
        when 'B' then 'medium'
        when 'C' then 'medium'
        when 'D' then 'low'
        else 'unknown'
    end as priority,
    case priority_class
        when 'A' then 'all effort, full sales process'
        when 'B' then 'limit the time'
        when 'C' then 'watch for change, keep the relation'
        when 'D' then 'last'
        else 'find out amount and close date'
    end as action,
    is_large,
    is_soon,
    days_to_close < 0 as is_overdue,
    is_key_account,
    expected_close_date,
    last_activity_at,
    days_to_close,
    amount,
    activities_30_days,
from classed
