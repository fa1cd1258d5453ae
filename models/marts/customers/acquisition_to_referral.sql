with

acquisitions as (
    select
        funnel_id,
        subject_id,
        journey_number,
        channel,
        is_mature,
        acquired_date,
        is_won,
        amount,
    from {{ ref('int_acquisitions') }}
),

referrals as (
    select
        funnel_id,
        subject_id,
    from {{ ref('int_referrals') }}
    where referrer_status = 'known'
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
        stage_kind,
    from {{ ref('dim_funnel_stages') }}
    where stage_position is not null
),

journey_stages as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
        counted_at,
    from {{ ref('fct_journey_stages') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        entered_at,
    from {{ ref('fct_journeys') }}
),

channel_costs as (
    select
        channel,
        period_date,
        cost,
    from {{ ref('int_channel_costs') }}
),

cohort_grains as (
    select 'all' as cohort_grain
    union all
    select 'month' as cohort_grain
),

channel_scopes as (
    select true as by_channel
    union all
    select false as by_channel
),

cohort_acquisitions as (
    select
        acquisitions.funnel_id,
        acquisitions.subject_id,
        acquisitions.journey_number,
        cohort_grains.cohort_grain,
        case
            when cohort_grains.cohort_grain = 'month'
                then {{ cohort_date('month', 'acquisitions.acquired_date') }}
        end as cohort_date,
        case when channel_scopes.by_channel then acquisitions.channel else 'all' end as channel,
        {{ cohort_date('month', 'acquisitions.acquired_date') }} as month_date,
        acquisitions.is_mature,
        acquisitions.is_won,
        referrals.subject_id is not null as is_brought,
        acquisitions.amount,
    from acquisitions
    left join referrals
        on
            acquisitions.funnel_id = referrals.funnel_id
            and acquisitions.subject_id = referrals.subject_id
    cross join cohort_grains
    cross join channel_scopes
    where cohort_grains.cohort_grain = 'all' or acquisitions.acquired_date is not null
),

cohorts as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        channel,
        count(*) as acquired,
        count(case when is_mature then 1 end) as mature_acquired,
    from cohort_acquisitions
    group by all
),

cohort_stages as (
    select
        cohort_acquisitions.funnel_id,
        cohort_acquisitions.cohort_grain,
        cohort_acquisitions.cohort_date,
        cohort_acquisitions.channel,
        journey_stages.stage_id,
        count(*) as reached,
        count(case when cohort_acquisitions.is_mature then 1 end) as mature_reached,
        count(case when cohort_acquisitions.is_brought then 1 end) as brought,
        sum(cohort_acquisitions.amount) as amount,
        count(
            case
                when cohort_acquisitions.is_won and cohort_acquisitions.amount is null then 1
            end
        ) as amount_unknown,
        sum(case when cohort_acquisitions.is_brought then cohort_acquisitions.amount end)
            as amount_brought,
        {{ sorted_numbers(
            microseconds_between('journeys.entered_at', 'journey_stages.counted_at')
        ) }} as sorted_microseconds,
    from cohort_acquisitions
    inner join journeys
        on
            cohort_acquisitions.funnel_id = journeys.funnel_id
            and cohort_acquisitions.subject_id = journeys.subject_id
            and cohort_acquisitions.journey_number = journeys.journey_number
    inner join journey_stages
        on
            cohort_acquisitions.funnel_id = journey_stages.funnel_id
            and cohort_acquisitions.subject_id = journey_stages.subject_id
            and cohort_acquisitions.journey_number = journey_stages.journey_number
    group by
        cohort_acquisitions.funnel_id,
        cohort_acquisitions.cohort_grain,
        cohort_acquisitions.cohort_date,
        cohort_acquisitions.channel,
        journey_stages.stage_id
),

-- A month has to be paid for by every channel, also by one that brought nobody in it.
cohort_months as (
    select distinct
        funnel_id,
        cohort_grain,
        cohort_date,
        month_date,
    from cohort_acquisitions
    where month_date is not null
),

months_of_cohorts as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        count(*) as months,
    from cohort_months
    group by all
),

scoped_costs as (
    select
        case when channel_scopes.by_channel then channel_costs.channel else 'all' end as channel,
        channel_costs.period_date,
        sum(channel_costs.cost) as cost,
    from channel_costs
    cross join channel_scopes
    group by all
),

cohort_costs as (
    select
        cohort_months.funnel_id,
        cohort_months.cohort_grain,
        cohort_months.cohort_date,
        scoped_costs.channel,
        count(*) as months_with_cost,
        cast(sum(scoped_costs.cost) as decimal(18, 4)) as cost,
    from cohort_months
    inner join scoped_costs
        on cohort_months.month_date = scoped_costs.period_date
    group by all
),

counted as (
    select
        cohorts.funnel_id,
        cohorts.cohort_grain,
        cohorts.cohort_date,
        cohorts.channel,
        funnel_stages.stage_id,
        funnel_stages.stage_position,
        funnel_stages.stage_kind,
        cohorts.acquired = cohorts.mature_acquired as is_mature,
        cohorts.acquired,
        coalesce(cohort_stages.reached, 0) as reached,
        cohorts.mature_acquired,
        coalesce(cohort_stages.mature_reached, 0) as mature_reached,
        cohort_stages.sorted_microseconds,
        coalesce(cohort_stages.brought, 0) as brought,
        cast(coalesce(cohort_stages.amount, 0) as decimal(18, 4)) as amount,
        coalesce(cohort_stages.amount_unknown, 0) as amount_unknown,
        cast(coalesce(cohort_stages.amount_brought, 0) as decimal(18, 4)) as amount_brought,
        cohort_costs.cost,
        coalesce(months_of_cohorts.months, 0) - coalesce(cohort_costs.months_with_cost, 0)
            as months_without_cost,
    from cohorts
    inner join funnel_stages
        on cohorts.funnel_id = funnel_stages.funnel_id
    left join cohort_stages
        on
            cohorts.funnel_id = cohort_stages.funnel_id
            and cohorts.cohort_grain = cohort_stages.cohort_grain
            and cohorts.cohort_date is not distinct from cohort_stages.cohort_date
            and cohorts.channel = cohort_stages.channel
            and funnel_stages.stage_id = cohort_stages.stage_id
    left join months_of_cohorts
        on
            cohorts.funnel_id = months_of_cohorts.funnel_id
            and cohorts.cohort_grain = months_of_cohorts.cohort_grain
            and cohorts.cohort_date is not distinct from months_of_cohorts.cohort_date
    left join cohort_costs
        on
            cohorts.funnel_id = cohort_costs.funnel_id
            and cohorts.cohort_grain = cohort_costs.cohort_grain
            and cohorts.cohort_date is not distinct from cohort_costs.cohort_date
            and cohorts.channel = cohort_costs.channel
)

select
    funnel_id,
    cohort_grain,
    cohort_date,
    channel,
    stage_id,
    stage_position,
    stage_kind,
    is_mature,
    acquired,
    reached,
    {{ rate('reached', 'acquired') }} as reached_rate,
    {{ wilson_low('reached', 'acquired') }} as reached_rate_low,
    {{ wilson_high('reached', 'acquired') }} as reached_rate_high,
    {{ is_reportable('acquired') }} as reached_rate_is_reportable,
    mature_acquired,
    mature_reached,
    {{ rate('mature_reached', 'mature_acquired') }} as mature_rate,
    {{ wilson_low('mature_reached', 'mature_acquired') }} as mature_rate_low,
    {{ wilson_high('mature_reached', 'mature_acquired') }} as mature_rate_high,
    {{ is_reportable('mature_acquired') }} as mature_rate_is_reportable,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }} as median_seconds,
    {{ seconds_of(median_low('sorted_microseconds')) }} as median_seconds_low,
    {{ seconds_of(median_high('sorted_microseconds')) }} as median_seconds_high,
    {{ is_reportable(list_length('sorted_microseconds')) }} as median_is_reportable,
    brought,
    {{ rate('brought', 'reached') }} as brought_rate,
    {{ wilson_low('brought', 'reached') }} as brought_rate_low,
    {{ wilson_high('brought', 'reached') }} as brought_rate_high,
    amount,
    amount_unknown,
    amount_brought,
    cost,
    months_without_cost,
    case
        when months_without_cost = 0 then {{ rate('cost', 'reached') }}
    end as cost_per_reached,
    case
        when months_without_cost = 0 then {{ rate('amount', 'cost') }}
    end as return_on_cost,
from counted
