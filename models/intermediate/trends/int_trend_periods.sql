with

trend_days as (
    select
        series_id,
        trend_date,
        cases,
        trials,
    from {{ ref('int_trend_days') }}
),

series as (
    select
        series_id,
        first_date,
        until_date,
    from {{ ref('int_trend_series') }}
),

rolling_days as (
    select
        series_id,
        trend_date,
        cases,
        trials,
        sum(cases) over seven_days as cases_7,
        sum(trials) over seven_days as trials_7,
        count(*) over seven_days as days_7,
        sum(cases) over thirty_days as cases_30,
        sum(trials) over thirty_days as trials_30,
        count(*) over thirty_days as days_30,
    from trend_days
    window
        seven_days as (
            partition by series_id
            order by trend_date
            rows between 6 preceding and current row
        ),
        thirty_days as (
            partition by series_id
            order by trend_date
            rows between 29 preceding and current row
        )
),

rolling_periods as (
    select
        series_id,
        'day' as period_grain,
        trend_date as period_date,
        1 as days,
        cases,
        trials,
    from rolling_days
    union all
    select
        series_id,
        'rolling_1' as period_grain,
        trend_date as period_date,
        1 as days,
        cases,
        trials,
    from rolling_days
    union all
    select
        series_id,
        'rolling_7' as period_grain,
        trend_date as period_date,
        7 as days,
        cases_7 as cases,
        trials_7 as trials,
    from rolling_days
    where days_7 = 7
    union all
    select
        series_id,
        'rolling_30' as period_grain,
        trend_date as period_date,
        30 as days,
        cases_30 as cases,
        trials_30 as trials,
    from rolling_days
    where days_30 = 30
),

calendar_days as (
    {% for grain in cohort_grains() if grain not in ('all', 'day') %}
        {{ 'union all' if not loop.first }}
        select
            series_id,
            '{{ grain }}' as period_grain,
            {{ cohort_date(grain, 'trend_date') }} as period_date,
            cases,
            trials,
        from trend_days
    {% endfor %}
),

calendar_periods as (
    select
        calendar_days.series_id,
        calendar_days.period_grain,
        calendar_days.period_date,
        count(*) as days,
        sum(calendar_days.cases) as cases,
        sum(calendar_days.trials) as trials,
    from calendar_days
    inner join series on calendar_days.series_id = series.series_id
    -- Of a period that is not whole nothing can be said.
    where
        calendar_days.period_date >= series.first_date
        and {{ cohort_date_after('calendar_days.period_grain', 'calendar_days.period_date') }}
        <= series.until_date + interval 1 day
    group by all
)

select
    series_id,
    period_grain,
    period_date,
    cast({{ dbt.dateadd('day', '1 - days', 'period_date') }} as date) as period_start_date,
    period_date as period_end_date,
    cast(days as bigint) as days,
    cast(cases as bigint) as cases,
    cast(trials as bigint) as trials,
from rolling_periods
union all
select
    series_id,
    period_grain,
    period_date,
    period_date as period_start_date,
    cast({{ dbt.dateadd('day', 'days - 1', 'period_date') }} as date) as period_end_date,
    cast(days as bigint) as days,
    cast(cases as bigint) as cases,
    cast(trials as bigint) as trials,
from calendar_periods
