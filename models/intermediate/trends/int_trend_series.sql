with

day_cohorts as (
    select distinct
        funnel_id,
        segment_name,
        segment_value,
    from {{ ref('int_cohort_segments') }}
    where cohort_grain = 'day'
),

watched_segments as (
    select distinct
        funnel_id,
        segment_name,
    from {{ ref('watched_metrics') }}
),

followed_segments as (
    select
        day_cohorts.funnel_id,
        day_cohorts.segment_name,
        day_cohorts.segment_value,
    from day_cohorts
    left join watched_segments
        on
            day_cohorts.funnel_id = watched_segments.funnel_id
            and day_cohorts.segment_name = watched_segments.segment_name
    where day_cohorts.segment_name = 'all' or watched_segments.funnel_id is not null
),

ladder as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
    where stage_position is not null
),

spans as (
    select
        funnel_id,
        first_date,
        last_date,
        mature_date,
    from {{ ref('int_trend_spans') }}
),

metrics as (
    select
        funnel_id,
        stage_id,
        stage_position,
        'entries' as metric,
        false as is_rate,
    from ladder
    where stage_position = 1
    union all
    select
        funnel_id,
        stage_id,
        stage_position,
        'reached' as metric,
        false as is_rate,
    from ladder
    where stage_position > 1
    union all
    select
        funnel_id,
        stage_id,
        stage_position,
        'step_rate' as metric,
        true as is_rate,
    from ladder
    where stage_position > 1
    union all
    select
        funnel_id,
        stage_id,
        stage_position,
        'overall_rate' as metric,
        true as is_rate,
    from ladder
    where stage_position > 1
)

select
    row_number() over (
        order by
            metrics.funnel_id,
            metrics.metric,
            metrics.stage_position,
            followed_segments.segment_name,
            followed_segments.segment_value
    ) as series_id,
    metrics.funnel_id,
    metrics.metric,
    metrics.is_rate,
    metrics.stage_id,
    metrics.stage_position,
    followed_segments.segment_name,
    followed_segments.segment_value,
    spans.first_date,
    -- That somebody entered is known at once, how far they get only when they had their time.
    case when metrics.metric = 'entries' then spans.last_date else spans.mature_date end
        as until_date,
from metrics
inner join followed_segments on metrics.funnel_id = followed_segments.funnel_id
inner join spans on metrics.funnel_id = spans.funnel_id
