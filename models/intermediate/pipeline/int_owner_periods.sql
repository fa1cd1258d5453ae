with

run as (
    -- An as-of is mostly a midnight, and of its date nothing is known yet.
    select cast({{ dbt.dateadd('day', -1, reporting_date('as_of')) }} as date) as latest_date,
    from {{ ref('int_run') }}
),

calendar_dates as (
    select calendar_date,
    from {{ ref('int_calendar_dates') }}
),

owner_deals as (
    select
        funnel_id,
        level,
        name,
        outcome = 'open' or is_of_active_owner as goes_on,
        entered_date,
        ended_date,
    from {{ ref('int_owner_deals') }}
),

at_work as (
    select
        owner_deals.funnel_id,
        owner_deals.level,
        owner_deals.name,
        least(min(owner_deals.entered_date), min(owner_deals.ended_date)) as first_date,
        greatest(
            max(owner_deals.entered_date),
            max(owner_deals.ended_date),
            max(case when owner_deals.goes_on then run.latest_date end)
        ) as last_date,
    from owner_deals
    cross join run
    group by all
),

periods as (
    {% for grain in owner_grains() if grain != 'all' %}
        {{ 'union all' if not loop.first }}
        select distinct
            '{{ grain }}' as period_grain,
            {{ cohort_date(grain, 'calendar_date') }} as period_date,
        from calendar_dates
    {% endfor %}
),

ended_periods as (
    select
        period_grain,
        period_date,
        cast({{ dbt.dateadd('day', -1, cohort_date_after('period_grain', 'period_date')) }} as date)
            as period_end_date,
    from periods
)

select
    funnel_id,
    level,
    name,
    'all' as period_grain,
    cast(null as date) as period_date,
    cast(null as date) as period_end_date,
    cast(null as boolean) as is_full,
from at_work

union all

select
    at_work.funnel_id,
    at_work.level,
    at_work.name,
    ended_periods.period_grain,
    ended_periods.period_date,
    ended_periods.period_end_date,
    at_work.first_date <= ended_periods.period_date
    and ended_periods.period_end_date <= at_work.last_date as is_full,
from at_work
inner join ended_periods
    on
        at_work.first_date <= ended_periods.period_end_date
        and at_work.last_date >= ended_periods.period_date
