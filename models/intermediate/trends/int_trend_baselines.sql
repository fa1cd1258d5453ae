{#- How many periods of the same kind are looked back upon. -#}
{%- set looks_back = [
    (8, "'day', 'rolling_1', 'rolling_7', 'week'"),
    (4, "'rolling_30', 'month', 'quarter', 'year'"),
] -%}

with

series as (
    select
        series_id,
        is_rate,
    from {{ ref('int_trend_series') }}
),

periods as (
    select
        periods.series_id,
        series.is_rate,
        periods.period_grain,
        periods.period_date,
        periods.period_start_date,
        periods.days,
        periods.cases,
        periods.trials,
        -- Like is held against like: Mondays against Mondays, and thirty days against thirty with
        -- as many of each weekday, five weeks earlier, so that they share no day.
        case
            when periods.period_grain in ('day', 'rolling_1', 'rolling_7')
                then {{ iso_weekday('periods.period_date') }}
            when periods.period_grain = 'rolling_30'
                then
                    mod(
                        {{ dbt.datediff(
                            "cast('2000-01-03' as date)", 'periods.period_date', 'day'
                        ) }},
                        35
                    )
            else 0
        end as phase,
        {{ iso_weekday('periods.period_date') }} as weekday,
    from {{ ref('int_trend_periods') }} as periods
    inner join series on periods.series_id = series.series_id
),

baselines as (
    {% for depth, grains in looks_back %}
        {{ 'union all' if not loop.first }}
        select
            series_id,
            is_rate,
            period_grain,
            period_date,
            period_start_date,
            days,
            cases,
            trials,
            phase,
            weekday,
            count(*) over last_{{ depth }} as baseline_periods,
            sum(days) over last_{{ depth }} as baseline_days,
            sum(cases) over last_{{ depth }} as baseline_cases,
            sum(trials) over last_{{ depth }} as baseline_trials,
            count(*) over last_{{ depth }} >= {{ depth // 2 }} as has_baseline,
        from periods
        where period_grain in ({{ grains }})
        window last_{{ depth }} as (
            partition by series_id, period_grain, phase
            order by period_date
            rows between {{ depth }} preceding and 1 preceding
        )
    {% endfor %}
),

surprises as (
    select
        series_id,
        is_rate,
        period_grain,
        period_date,
        period_start_date,
        days,
        cases,
        trials,
        phase,
        weekday,
        baseline_periods,
        cast(baseline_days as bigint) as baseline_days,
        cast(baseline_cases as bigint) as baseline_cases,
        cast(baseline_trials as bigint) as baseline_trials,
        has_baseline,
        case
            when not has_baseline then null
            when is_rate
                then {{ rate_z('cases', 'trials', 'baseline_cases', 'baseline_trials') }}
            else {{ count_z('cases', 'days', 'baseline_cases', 'baseline_days') }}
        end as z,
    from baselines
),

-- In exact decimals, and none more than four standard errors: what was an event of its own is not
-- to hide the next one.
squared_surprises as (
    select
        *,
        case when z is not null then cast(least(z * z, 16e0) as decimal(18, 9)) end as z_squared,
    from surprises
),

own_dispersions as (
    select
        series_id,
        period_grain,
        period_date,
        count(z_squared) over weeks_before as dispersion_periods,
        cast(sum(z_squared) over weeks_before as double)
        / nullif(count(z_squared) over weeks_before, 0) as dispersion,
    from squared_surprises
    where period_grain in ('rolling_7', 'week')
    window
        weeks_before as (
            partition by series_id, period_grain, phase
            order by period_date
            rows between 26 preceding and 1 preceding
        )
    union all
    -- Every day, of whatever weekday, tells how far days go astray.
    select
        series_id,
        period_grain,
        period_date,
        count(z_squared) over days_before as dispersion_periods,
        cast(sum(z_squared) over days_before as double)
        / nullif(count(z_squared) over days_before, 0) as dispersion,
    from squared_surprises
    where period_grain in ('day', 'rolling_1')
    window
        days_before as (
            partition by series_id, period_grain
            order by period_date
            rows between 56 preceding and 1 preceding
        )
    union all
    -- Month after month as one looks back from week to week: they share days, but tell whether the
    -- metric drifts further in a month than from week to week.
    select
        series_id,
        period_grain,
        period_date,
        count(z_squared) over months_before as dispersion_periods,
        cast(sum(z_squared) over months_before as double)
        / nullif(count(z_squared) over months_before, 0) as dispersion,
    from squared_surprises
    where period_grain = 'rolling_30'
    window months_before as (
        partition by series_id, weekday
        order by period_date
        rows between 26 preceding and 1 preceding
    )
),

-- Of long periods there are too few: how far they go astray is told by the weeks before them,
-- and by the months before them where these go further.
borrowed_dispersions as (
    select
        surprises.series_id,
        surprises.period_grain,
        surprises.period_date,
        weeks.dispersion_periods,
        case
            when coalesce(months.dispersion, 0) > weeks.dispersion then months.dispersion
            else weeks.dispersion
        end as dispersion,
    from surprises
    inner join own_dispersions as weeks
        on
            surprises.series_id = weeks.series_id
            and weeks.period_grain = 'rolling_7'
            and {{ dbt.dateadd('day', 6, 'surprises.period_start_date') }} = weeks.period_date
    left join own_dispersions as months
        on
            surprises.series_id = months.series_id
            and months.period_grain = 'rolling_30'
            and {{ dbt.dateadd('day', 6, 'surprises.period_start_date') }} = months.period_date
    where surprises.period_grain in ('rolling_30', 'month', 'quarter', 'year')
),

dispersions as (
    select * from own_dispersions
    where period_grain != 'rolling_30'
    union all
    select * from borrowed_dispersions
)

select
    surprises.series_id,
    surprises.period_grain,
    surprises.period_date,
    surprises.baseline_periods,
    surprises.baseline_days,
    surprises.baseline_cases,
    surprises.baseline_trials,
    surprises.has_baseline,
    surprises.z,
    coalesce(dispersions.dispersion_periods, 0) as dispersion_periods,
    -- Less than chance is chance, too.
    case when dispersions.dispersion_periods >= 8 then greatest(1e0, dispersions.dispersion) end
        as dispersion,
from surprises
left join dispersions
    on
        surprises.series_id = dispersions.series_id
        and surprises.period_grain = dispersions.period_grain
        and surprises.period_date = dispersions.period_date
