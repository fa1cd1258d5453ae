{%- set periods_followed = {'day': 30, 'week': 26, 'month': 24} -%}

with

run as (
    select as_of from {{ ref('int_run') }}
),

calendar_dates as (
    select calendar_date,
    from {{ ref('int_calendar_dates') }}
),

cohorts as (
    select distinct acquired_date,
    from {{ ref('int_acquisitions') }}
    where acquired_date is not null
),

cohort_periods as (
    {% for grain in periods_followed %}
        {{ 'union' if not loop.first }}
        select distinct
            '{{ grain }}' as cohort_grain,
            {{ cohort_date(grain, 'cohorts.acquired_date') }} as cohort_date,
            {{ cohort_date(grain, 'calendar_dates.calendar_date') }} as period_date,
            {% if grain == 'month' %}
                {{ dbt.datediff(
                    cohort_date(grain, 'cohorts.acquired_date'),
                    cohort_date(grain, 'calendar_dates.calendar_date'),
                    'month'
                ) }} as period_number,
            {% else %}
                cast(
                    {{ dbt.datediff(
                        cohort_date(grain, 'cohorts.acquired_date'),
                        cohort_date(grain, 'calendar_dates.calendar_date'),
                        'day'
                    ) }} / {{ 7 if grain == 'week' else 1 }}
                    as integer
                ) as period_number,
            {% endif %}
            {{ periods_followed[grain] }} as periods_followed,
        from cohorts
        inner join calendar_dates
            on
                {{ cohort_date(grain, 'cohorts.acquired_date') }} <= calendar_dates.calendar_date
                and {{ dbt.dateadd(grain, periods_followed[grain] + 1, 'cohorts.acquired_date') }}
                > calendar_dates.calendar_date
    {% endfor %}
)

select
    cohort_periods.cohort_grain,
    cohort_periods.cohort_date,
    cohort_periods.period_number,
    cohort_periods.period_date,
    {{ reporting_midnight(
        cohort_date_after('cohort_periods.cohort_grain', 'cohort_periods.period_date')
    ) }} <= run.as_of as is_whole,
from cohort_periods
cross join run
where
    cohort_periods.period_number <= cohort_periods.periods_followed
    and {{ reporting_midnight('cohort_periods.period_date') }} < run.as_of
