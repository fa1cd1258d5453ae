with

run as (
    select
        as_of,
        {{ reporting_date('as_of') }} as as_of_date,
    from {{ ref('int_run') }}
),

first_states as (
    select
        funnel_id,
        min(changed_at) as first_changed_at,
    from {{ ref('int_deal_states') }}
    group by funnel_id
),

-- Past dates stand at the same point of their month or quarter as the as-of does, so that what a
-- method said on them is what it is asked today.
made_dates as (
    {% for grain, months in [('month', 1), ('quarter', 3)] %}
        {% for back in range(0, 37, months) %}
            {{ 'union all' if not (loop.first and grain == 'month') }}
            select
                '{{ grain }}' as period_grain,
                cast({{ dbt.dateadd('month', -back, 'as_of_date') }} as date) as made_on,
                {{ back }} as months_back,
            from run
        {% endfor %}
    {% endfor %}
),

made_forecasts as (
    select
        first_states.funnel_id,
        made_dates.period_grain,
        made_dates.made_on,
        case
            when made_dates.months_back = 0 then run.as_of
            else {{ reporting_midnight('made_dates.made_on') }}
        end as made_at,
        made_dates.months_back = 0 as is_current,
        first_states.first_changed_at,
    from made_dates
    cross join run
    cross join first_states
),

periods as (
    {% for grain, months in [('month', 1), ('quarter', 3)] %}
        {% for ahead in [0, 1] %}
            {{ 'union all' if not (loop.first and grain == 'month') }}
            select
                *,
                {{ ahead }} as periods_ahead,
                cast({{ dbt.dateadd(
                    'month', ahead * months, "date_trunc('" ~ grain ~ "', made_on)"
                ) }} as date) as period_date,
                cast({{ dbt.dateadd(
                    'month', (ahead + 1) * months, "date_trunc('" ~ grain ~ "', made_on)"
                ) }} as date) as next_period_date,
            from made_forecasts
            where period_grain = '{{ grain }}'
        {% endfor %}
    {% endfor %}
)

select
    periods.funnel_id,
    periods.period_grain,
    periods.periods_ahead,
    periods.made_on,
    periods.made_at,
    periods.is_current,
    periods.period_date,
    periods.next_period_date,
    periods.next_period_date <= run.as_of_date as is_over,
from periods
cross join run
where periods.first_changed_at < periods.made_at
