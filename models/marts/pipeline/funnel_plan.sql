with recursive

plan_bands as (
    select
        funnel_id,
        period_grain,
        period_date,
        needed_wins,
        needed_amount,
    from {{ ref('funnel_plan_bands') }}
),

periods as (
    select
        period_grain,
        period_date,
        next_period_date,
        days_left,
    from {{ ref('int_target_periods') }}
),

-- Rates as fractions of whole numbers, so that rounding up is exact: declared ones in millionths.
plan_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
        win_probability,
        planned_step_rate,
        next_mature_reached,
        next_mature_reached_previous,
        case
            when stage_kind = 'won' then null
            when planned_step_rate is not null then 'declared'
            when next_mature_reached > 0 then 'observed'
            else 'unknown'
        end as rate_source,
        case
            when planned_step_rate is not null then greatest(round(planned_step_rate * 1e6), 1)
            else next_mature_reached
        end as rate_numerator,
        case when planned_step_rate is not null then 1e6 else next_mature_reached_previous end
            as rate_denominator,
    from {{ ref('int_plan_stages') }}
),

deal_stages as (
    select
        funnel_id,
        stage_id,
        outcome,
        reached_date,
        ended_date,
    from {{ ref('int_deal_stages') }}
),

open_deals as (
    select
        funnel_id,
        stage_id,
        count(*) as open_now,
    from {{ ref('int_deals') }}
    where outcome = 'open'
    group by all
),

plans as (
    select
        plan_bands.funnel_id,
        plan_bands.period_grain,
        plan_bands.period_date,
        periods.next_period_date,
        periods.days_left,
        cast(sum(plan_bands.needed_wins) as bigint) as target_wins,
        -- A part of the amount is not the amount.
        case
            when count(*) = count(plan_bands.needed_amount)
                then cast(sum(plan_bands.needed_amount) as decimal(18, 4))
        end as target_amount,
        count(*) filter (where plan_bands.needed_wins is null) as targets_unknown,
    from plan_bands
    inner join periods
        on
            plan_bands.period_grain = periods.period_grain
            and plan_bands.period_date = periods.period_date
    group by all
),

needed_stages as (
    select
        plans.funnel_id,
        plans.period_grain,
        plans.period_date,
        plan_stages.stage_position,
        plans.target_wins as needed,
    from plans
    inner join plan_stages
        on plans.funnel_id = plan_stages.funnel_id
    where plan_stages.stage_kind = 'won'

    union all

    select
        needed_stages.funnel_id,
        needed_stages.period_grain,
        needed_stages.period_date,
        plan_stages.stage_position,
        {{ rounded_up(
            'cast(needed_stages.needed as double) * plan_stages.rate_denominator',
            'plan_stages.rate_numerator'
        ) }} as needed,
    from needed_stages
    inner join plan_stages
        on
            needed_stages.funnel_id = plan_stages.funnel_id
            and needed_stages.stage_position - 1 = plan_stages.stage_position
),

deals_there as (
    select
        plans.funnel_id,
        plans.period_grain,
        plans.period_date,
        deal_stages.stage_id,
        count(*) filter (where deal_stages.reached_date >= plans.period_date) as reached,
        -- Open when the period began, so they may still get further in it, or did.
        count(*) filter (
            where
            deal_stages.reached_date < plans.period_date
            and (deal_stages.outcome = 'open' or deal_stages.ended_date >= plans.period_date)
        ) as carried_over,
    from plans
    inner join deal_stages
        on
            plans.funnel_id = deal_stages.funnel_id
            and plans.next_period_date > deal_stages.reached_date
    group by all
),

compared_stages as (
    select
        plans.funnel_id,
        plans.period_grain,
        plans.period_date,
        plan_stages.stage_id,
        plan_stages.stage_position,
        plans.target_wins,
        plans.target_amount,
        plans.targets_unknown,
        plan_stages.planned_step_rate,
        plan_stages.next_mature_reached,
        plan_stages.next_mature_reached_previous,
        plan_stages.rate_source,
        plan_stages.rate_numerator,
        plan_stages.rate_denominator,
        plan_stages.win_probability,
        needed_stages.needed,
        coalesce(deals_there.reached, 0) as reached,
        -- What was won before the period is no win of it.
        case
            when plan_stages.stage_kind = 'won' then 0
            else coalesce(deals_there.carried_over, 0)
        end as carried_over,
        coalesce(open_deals.open_now, 0) as open_now,
        plans.days_left,
    from plans
    inner join plan_stages
        on plans.funnel_id = plan_stages.funnel_id
    left join needed_stages
        on
            plans.funnel_id = needed_stages.funnel_id
            and plans.period_grain = needed_stages.period_grain
            and plans.period_date = needed_stages.period_date
            and plan_stages.stage_position = needed_stages.stage_position
    left join deals_there
        on
            plans.funnel_id = deals_there.funnel_id
            and plans.period_grain = deals_there.period_grain
            and plans.period_date = deals_there.period_date
            and plan_stages.stage_id = deals_there.stage_id
    left join open_deals
        on
            plan_stages.funnel_id = open_deals.funnel_id
            and plan_stages.stage_id = open_deals.stage_id
),

missing_stages as (
    select
        *,
        case when needed is not null then greatest(needed - reached - carried_over, 0) end
            as missing,
    from compared_stages
)

select
    funnel_id,
    period_grain,
    period_date,
    stage_id,
    stage_position,
    rate_source,
    target_wins,
    target_amount,
    targets_unknown,
    planned_step_rate,
    next_mature_reached as observed_advanced,
    next_mature_reached_previous as observed_reached,
    {{ rate('next_mature_reached', 'next_mature_reached_previous') }} as observed_step_rate,
    {{ wilson_low('next_mature_reached', 'next_mature_reached_previous') }}
        as observed_step_rate_low,
    {{ wilson_high('next_mature_reached', 'next_mature_reached_previous') }}
        as observed_step_rate_high,
    {{ is_reportable('next_mature_reached_previous') }} as observed_step_rate_is_reportable,
    case
        when rate_source in ('declared', 'observed')
            then {{ rate('rate_numerator', 'rate_denominator') }}
    end as rate_to_next,
    win_probability,
    needed,
    {{ rounded_up('cast(target_wins as double) * 1000000', 'round(win_probability * 1e6)') }}
        as needed_by_probability,
    reached,
    carried_over,
    open_now,
    missing,
    {{ rate('days_left', '7') }} as weeks_left,
    case
        when days_left > 0 then {{ rounded_up('missing * 7', 'greatest(days_left, 7)') }}
    end as to_add_per_week,
from missing_stages
