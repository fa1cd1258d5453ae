with

run as (
    select
        as_of,
        {{ reporting_date("as_of - interval 1 microsecond") }} as last_date,
    from {{ ref('int_run') }}
),

calendar_dates as (
    select calendar_date
    from {{ ref('int_calendar_dates') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
        win_probability,
        cast(target_hours * 3600 as bigint) as target_seconds,
    from {{ ref('dim_funnel_stages') }}
    where stage_kind = 'open'
),

deltas as (
    select
        funnel_id,
        segment_name,
        segment_value,
        stage_id,
        delta_date,
        open_deals,
        open_amount,
        deals_without_amount,
        entered_seconds,
        overdue_deals,
        deals_in,
        deals_out,
        amount_in,
        amount_out,
    from {{ ref('int_pipeline_deltas') }}
),

win_rates as (
    select
        funnel_id,
        stage_id,
        known_from,
        won,
        closed,
    from {{ ref('int_stage_win_rates') }}
),

segments as (
    select
        funnel_id,
        segment_name,
        segment_value,
        min(delta_date) as first_date,
    from deltas
    group by funnel_id, segment_name, segment_value
),

days as (
    select
        segments.funnel_id,
        segments.segment_name,
        segments.segment_value,
        funnel_stages.stage_id,
        funnel_stages.stage_position,
        funnel_stages.win_probability,
        funnel_stages.target_seconds,
        calendar_dates.calendar_date as snapshot_date,
        least(
            {{ reporting_midnight(dbt.dateadd('day', 1, 'calendar_dates.calendar_date')) }},
            run.as_of
        ) as snapshot_at,
    from segments
    inner join funnel_stages
        on segments.funnel_id = funnel_stages.funnel_id
    cross join run
    inner join calendar_dates
        on
            segments.first_date <= calendar_dates.calendar_date
            and run.last_date >= calendar_dates.calendar_date
),

totals as (
    select
        days.*,
        coalesce(deltas.deals_in, 0) as deals_in,
        coalesce(deltas.deals_out, 0) as deals_out,
        coalesce(deltas.amount_in, 0) as amount_in,
        coalesce(deltas.amount_out, 0) as amount_out,
        cast(coalesce(sum(deltas.open_deals) over until_then, 0) as bigint)
            as open_deals,
        cast(coalesce(sum(deltas.deals_without_amount) over until_then, 0) as bigint)
            as deals_without_amount,
        cast(coalesce(sum(deltas.entered_seconds) over until_then, 0) as bigint)
            as entered_seconds,
        cast(coalesce(sum(deltas.overdue_deals) over until_then, 0) as bigint)
            as overdue_deals,
        cast(coalesce(sum(deltas.open_amount) over until_then, 0) as decimal(18, 4)) as open_amount,
    from days
    left join deltas
        on
            days.funnel_id = deltas.funnel_id
            and days.segment_name = deltas.segment_name
            and days.segment_value = deltas.segment_value
            and days.stage_id = deltas.stage_id
            and days.snapshot_date = deltas.delta_date
    window until_then as (
        partition by days.funnel_id, days.segment_name, days.segment_value, days.stage_id
        order by days.snapshot_date
        rows between unbounded preceding and current row
    )
),

-- Where a breakdown has nothing and nothing moved, only the whole says so.
told_totals as (
    select
        totals.*,
        lag(totals.open_deals) over by_day as open_deals_above,
        max(totals.open_deals + totals.deals_out) over (
            partition by
                totals.funnel_id, totals.segment_name, totals.segment_value, totals.snapshot_date
        ) as most_deals,
    from totals
    window by_day as (
        partition by
            totals.funnel_id, totals.segment_name, totals.segment_value, totals.snapshot_date
        order by totals.stage_position
    )
)

select
    told_totals.funnel_id,
    told_totals.snapshot_date,
    told_totals.segment_name,
    told_totals.segment_value,
    told_totals.stage_id,
    told_totals.stage_position,
    told_totals.open_deals,
    told_totals.open_amount,
    told_totals.deals_without_amount,
    told_totals.deals_in,
    told_totals.deals_out,
    told_totals.amount_in,
    told_totals.amount_out,
    told_totals.open_deals_above,
    {{ rate('told_totals.open_deals', 'told_totals.open_deals_above') }} as shape_ratio,
    told_totals.win_probability,
    {{ weighted_amount('told_totals.open_amount', 'told_totals.win_probability') }}
        as weighted_amount,
    coalesce(win_rates.won, 0) as won_before,
    coalesce(win_rates.closed, 0) as closed_before,
    {{ rate('win_rates.won', 'win_rates.closed') }} as observed_win_rate,
    {{ wilson_low('win_rates.won', 'win_rates.closed') }} as observed_win_rate_low,
    {{ wilson_high('win_rates.won', 'win_rates.closed') }} as observed_win_rate_high,
    {{ is_reportable('win_rates.closed') }} as observed_win_rate_is_reportable,
    {{ weighted_amount('told_totals.open_amount', rate('win_rates.won', 'win_rates.closed')) }}
        as observed_weighted_amount,
    cast(
        (
            cast(told_totals.open_deals as decimal(18, 0))
            * {{ microseconds_between("timestamp '1970-01-01'", 'told_totals.snapshot_at') }}
            / 1000000
            - told_totals.entered_seconds
        ) / nullif(told_totals.open_deals, 0) as double
    ) as mean_age_seconds,
    told_totals.target_seconds,
    case when told_totals.target_seconds is not null then told_totals.overdue_deals end
        as overdue_deals,
    case
        when told_totals.target_seconds is not null
            then {{ rate('told_totals.overdue_deals', 'told_totals.open_deals') }}
    end as overdue_share,
from told_totals
asof left join win_rates
    on
        told_totals.funnel_id = win_rates.funnel_id
        and told_totals.stage_id = win_rates.stage_id
        and told_totals.snapshot_date >= win_rates.known_from
where told_totals.most_deals > 0 or told_totals.segment_name = 'all'
