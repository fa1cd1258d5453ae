with

series as (
    select
        series_id,
        funnel_id,
        metric,
        is_rate,
        stage_id,
        segment_name,
        segment_value,
        first_date,
        until_date,
    from {{ ref('int_trend_series') }}
),

conversions as (
    select
        funnel_id,
        cohort_date,
        segment_name,
        segment_value,
        stage_id,
        entered,
        mature_reached,
        mature_reached_previous,
        mature_entered,
    from {{ ref('funnel_conversion') }}
    where cohort_grain = 'day'
),

calendar_dates as (
    select calendar_date,
    from {{ ref('int_calendar_dates') }}
),

-- A day on which nobody came is a day, too.
series_days as (
    select
        series.series_id,
        series.funnel_id,
        series.metric,
        series.is_rate,
        series.stage_id,
        series.segment_name,
        series.segment_value,
        calendar_dates.calendar_date,
    from series
    inner join calendar_dates
        on calendar_dates.calendar_date between series.first_date and series.until_date
)

select
    series_days.series_id,
    series_days.calendar_date as trend_date,
    coalesce(
        case
            when series_days.metric = 'entries' then conversions.entered
            -- In any order, a stage behind optional ones alone has no step into it.
            when
                series_days.metric = 'step_rate' and conversions.mature_reached_previous is null
                then 0
            else conversions.mature_reached
        end,
        0
    ) as cases,
    case
        when series_days.is_rate
            then
                coalesce(
                    case
                        when series_days.metric = 'step_rate'
                            then conversions.mature_reached_previous
                        else conversions.mature_entered
                    end,
                    0
                )
    end as trials,
from series_days
left join conversions
    on
        series_days.funnel_id = conversions.funnel_id
        and series_days.calendar_date = conversions.cohort_date
        and series_days.segment_name = conversions.segment_name
        and series_days.segment_value = conversions.segment_value
        and series_days.stage_id = conversions.stage_id
