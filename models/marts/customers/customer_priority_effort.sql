with

priority_settings as (
    select funnel_id,
    from {{ ref('priority_settings') }}
),

deals as (
    select
        funnel_id,
        priority_class,
        amount,
        activities_30_days,
    from {{ ref('customer_priority') }}
),

priority_classes as (
    {% for priority_class in ['A', 'B', 'C', 'D', 'unknown'] %}
        {{ 'union all' if not loop.first }}
        select '{{ priority_class }}' as priority_class
    {% endfor %}
),

counted as (
    select
        funnel_id,
        priority_class,
        count(*) as open_deals,
        count(*) - count(amount) as amount_unknown,
        sum(amount) as amount,
        sum(activities_30_days) as activities_30_days,
        count(case when activities_30_days = 0 then 1 end) as deals_without_activity,
    from deals
    group by all
),

classes as (
    select
        priority_settings.funnel_id,
        priority_classes.priority_class,
        coalesce(counted.open_deals, 0) as open_deals,
        coalesce(counted.amount_unknown, 0) as amount_unknown,
        cast(counted.amount as decimal(18, 4)) as amount,
        cast(coalesce(counted.activities_30_days, 0) as bigint) as activities_30_days,
        coalesce(counted.deals_without_activity, 0) as deals_without_activity,
    from priority_settings
    cross join priority_classes
    left join counted
        on
            priority_settings.funnel_id = counted.funnel_id
            and priority_classes.priority_class = counted.priority_class
),

with_totals as (
    select
        *,
        cast(sum(open_deals) over by_funnel as bigint) as funnel_open_deals,
        cast(sum(activities_30_days) over by_funnel as bigint) as funnel_activities_30_days,
    from classes
    window by_funnel as (partition by funnel_id)
)

select
    funnel_id,
    priority_class,
    open_deals,
    funnel_open_deals,
    {{ rate('open_deals', 'funnel_open_deals') }} as share_of_deals,
    case when open_deals = 0 then 0 else amount end as amount,
    amount_unknown,
    activities_30_days,
    funnel_activities_30_days,
    {{ rate('activities_30_days', 'funnel_activities_30_days') }} as share_of_activities,
    {{ wilson_low('activities_30_days', 'funnel_activities_30_days') }}
        as share_of_activities_low,
    {{ wilson_high('activities_30_days', 'funnel_activities_30_days') }}
        as share_of_activities_high,
    {{ is_reportable('funnel_activities_30_days') }} as share_of_activities_is_reportable,
    deals_without_activity,
from with_totals
