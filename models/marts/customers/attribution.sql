with

run as (
    select as_of from {{ ref('int_run') }}
),

periods as (
    select
        attribution_id,
        funnel_id,
        period_grain,
        period_date,
        period_id,
        months,
        conversions,
        failures,
        amount,
        amount_unknown,
    from {{ ref('int_attribution_periods') }}
),

touches as (
    select
        attribution_id,
        funnel_id,
        subject_id,
        journey_number,
        is_conversion,
        month_date,
        channel,
    from {{ ref('int_attribution_touches') }}
),

credits as (
    select
        period_id,
        model,
        channel,
        removal_effect,
        conversion_parts,
        amount_parts,
    from {{ ref('int_attribution_credits') }}
),

channel_costs as (
    select
        channel,
        period_date,
        cost,
    from {{ ref('int_channel_costs') }}
),

path_channels as (
    select
        attribution_id,
        month_date,
        channel,
        is_conversion,
        count(*) as touches,
    from touches
    group by
        attribution_id,
        funnel_id,
        subject_id,
        journey_number,
        month_date,
        channel,
        is_conversion
),

month_channels as (
    select
        attribution_id,
        month_date,
        channel,
        count(*) filter (where is_conversion) as conversions_touched,
        count(*) filter (where not is_conversion) as failures_touched,
        coalesce(sum(touches) filter (where is_conversion), 0) as touches,
    from path_channels
    group by attribution_id, month_date, channel
),

months as (
    select
        attribution_id,
        period_date as month_date,
        period_id,
    from periods
    where period_grain = 'month'
),

month_periods as (
    select
        attribution_id,
        month_date,
        period_id,
    from months
    union all
    select
        months.attribution_id,
        months.month_date,
        periods.period_id,
    from months
    inner join periods
        on months.attribution_id = periods.attribution_id
    where periods.period_grain = 'all'
),

period_touches as (
    select
        month_periods.period_id,
        month_channels.channel,
        cast(sum(month_channels.conversions_touched) as bigint) as conversions_touched,
        cast(sum(month_channels.failures_touched) as bigint) as failures_touched,
        cast(sum(month_channels.touches) as bigint) as touches,
    from month_channels
    inner join month_periods
        on
            month_channels.attribution_id = month_periods.attribution_id
            and month_channels.month_date = month_periods.month_date
    group by month_periods.period_id, month_channels.channel
),

period_costs as (
    select
        month_periods.period_id,
        channel_costs.channel,
        count(*) as months_with_cost,
        cast(sum(channel_costs.cost) as decimal(18, 4)) as cost,
    from channel_costs
    inner join month_periods
        on channel_costs.period_date = month_periods.month_date
    group by month_periods.period_id, channel_costs.channel
),

-- Also a channel that cost money and brought nobody.
period_channels as (
    select
        period_id,
        channel,
    from period_touches
    union
    select
        period_id,
        channel,
    from period_costs
    union
    select
        period_id,
        channel,
    from credits
),

models as (
    select 'first_touch' as model
    union all
    select 'last_touch' as model
    union all
    select 'linear' as model
    union all
    select 'position' as model
    union all
    select 'time_decay' as model
    union all
    select 'removal_effect' as model
),

attributed as (
    select
        periods.attribution_id,
        periods.funnel_id,
        periods.period_grain,
        periods.period_date,
        {{ reporting_midnight(
            cohort_date_after('periods.period_grain', 'periods.period_date')
        ) }} <= run.as_of as is_over,
        models.model,
        period_channels.channel,
        coalesce(period_touches.touches, 0) as touches,
        coalesce(period_touches.conversions_touched, 0) as conversions_touched,
        coalesce(period_touches.failures_touched, 0) as failures_touched,
        periods.failures,
        credits.removal_effect,
        periods.conversions,
        cast(
            cast(coalesce(credits.conversion_parts, 0) as decimal(38, 0)) * 0.000001
            as decimal(18, 6)
        ) as conversions_credited,
        periods.amount,
        periods.amount_unknown,
        cast(
            cast(coalesce(credits.amount_parts, 0) as decimal(38, 0)) * 0.0001
            as decimal(18, 4)
        ) as amount_credited,
        period_costs.cost,
        periods.months - coalesce(period_costs.months_with_cost, 0) as months_without_cost,
    from periods
    inner join period_channels
        on periods.period_id = period_channels.period_id
    cross join models
    cross join run
    left join credits
        on
            periods.period_id = credits.period_id
            and models.model = credits.model
            and period_channels.channel = credits.channel
    left join period_touches
        on
            periods.period_id = period_touches.period_id
            and period_channels.channel = period_touches.channel
    left join period_costs
        on
            periods.period_id = period_costs.period_id
            and period_channels.channel = period_costs.channel
)

select
    attribution_id,
    funnel_id,
    period_grain,
    period_date,
    model,
    channel,
    is_over,
    touches,
    conversions_touched,
    failures_touched,
    failures,
    removal_effect,
    conversions,
    conversions_credited,
    {{ rate('conversions_credited', 'conversions') }} as conversions_share,
    amount,
    amount_unknown,
    amount_credited,
    {{ rate('amount_credited', 'amount') }} as amount_share,
    cost,
    months_without_cost,
    case
        when months_without_cost = 0 then {{ rate('cost', 'conversions_credited') }}
    end as cost_per_conversion,
    case
        when months_without_cost = 0 then {{ rate('amount_credited', 'cost') }}
    end as return_on_cost,
from attributed
