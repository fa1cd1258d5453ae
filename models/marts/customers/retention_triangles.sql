{%- set grains = ['day', 'week', 'month'] -%}

with

acquisitions as (
    select
        funnel_id,
        subject_id,
        person_id,
        channel,
        acquired_date,
        acquired_at,
    from {{ ref('int_acquisitions') }}
    where acquired_date is not null
),

sessions as (
    select
        person_id,
        touched_at as started_at,
    from {{ ref('int_touchpoints') }}
    where touch_type = 'session'
),

periods as (
    select
        cohort_grain,
        cohort_date,
        period_number,
        period_date,
        is_whole,
    from {{ ref('int_retention_periods') }}
),

channel_scopes as (
    select true as by_channel
    union all
    select false as by_channel
),

active_dates as (
    select distinct
        acquisitions.funnel_id,
        acquisitions.subject_id,
        acquisitions.channel,
        acquisitions.acquired_date,
        {{ reporting_date('sessions.started_at') }} as active_date,
    from acquisitions
    inner join sessions
        on
            acquisitions.person_id = sessions.person_id
            and acquisitions.acquired_at <= sessions.started_at
),

active_periods as (
    {% for grain in grains %}
        {{ 'union' if not loop.first }}
        select
            funnel_id,
            subject_id,
            channel,
            '{{ grain }}' as cohort_grain,
            {{ cohort_date(grain, 'acquired_date') }} as cohort_date,
            {{ cohort_date(grain, 'active_date') }} as period_date,
        from active_dates
    {% endfor %}
),

grain_acquisitions as (
    {% for grain in grains %}
        {{ 'union all' if not loop.first }}
        select
            funnel_id,
            channel,
            '{{ grain }}' as cohort_grain,
            {{ cohort_date(grain, 'acquired_date') }} as cohort_date,
        from acquisitions
    {% endfor %}
),

cohorts as (
    select
        grain_acquisitions.funnel_id,
        grain_acquisitions.cohort_grain,
        grain_acquisitions.cohort_date,
        case when channel_scopes.by_channel then grain_acquisitions.channel else 'all' end
            as channel,
        count(*) as acquired,
    from grain_acquisitions
    cross join channel_scopes
    group by all
),

active_counts as (
    select
        active_periods.funnel_id,
        active_periods.cohort_grain,
        active_periods.cohort_date,
        active_periods.period_date,
        case when channel_scopes.by_channel then active_periods.channel else 'all' end as channel,
        count(*) as active,
    from active_periods
    cross join channel_scopes
    group by all
),

counted as (
    select
        cohorts.funnel_id,
        cohorts.cohort_grain,
        cohorts.cohort_date,
        cohorts.channel,
        periods.period_number,
        periods.period_date,
        periods.is_whole,
        cohorts.acquired,
        case when periods.is_whole then coalesce(active_counts.active, 0) end as active,
    from cohorts
    inner join periods
        on
            cohorts.cohort_grain = periods.cohort_grain
            and cohorts.cohort_date = periods.cohort_date
    left join active_counts
        on
            cohorts.funnel_id = active_counts.funnel_id
            and cohorts.cohort_grain = active_counts.cohort_grain
            and cohorts.cohort_date = active_counts.cohort_date
            and cohorts.channel = active_counts.channel
            and periods.period_date = active_counts.period_date
)

select
    funnel_id,
    cohort_grain,
    cohort_date,
    channel,
    period_number,
    period_date,
    is_whole,
    acquired,
    active,
    {{ rate('active', 'acquired') }} as retention_rate,
    case when is_whole then {{ wilson_low('active', 'acquired') }} end as retention_rate_low,
    case when is_whole then {{ wilson_high('active', 'acquired') }} end as retention_rate_high,
    {{ is_reportable('acquired') }} as retention_rate_is_reportable,
from counted
