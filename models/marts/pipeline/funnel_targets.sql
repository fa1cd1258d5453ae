with recursive

stage_targets as (
    select
        funnel_id,
        period_grain,
        period_date,
        stage_id,
        case
            when owner_id is not null then 'owner'
            when team is not null then 'team'
            else 'all'
        end as scope_name,
        coalesce(owner_id, team, 'all') as scope_value,
        target_deals,
        target_amount,
        target_step_rate,
    from {{ ref('stage_targets') }}
),

periods as (
    select
        period_grain,
        period_date,
        next_period_date,
        working_days,
        working_days_elapsed,
    from {{ ref('int_target_periods') }}
),

plan_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
    from {{ ref('int_plan_stages') }}
),

deal_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
        furthest_stage_position,
        owner_id,
        team,
        outcome,
        reached_date,
        ended_date,
        amount,
    from {{ ref('int_deal_stages') }}
),

scopes as (
    select distinct
        stage_targets.funnel_id,
        stage_targets.period_grain,
        stage_targets.period_date,
        stage_targets.scope_name,
        stage_targets.scope_value,
        periods.next_period_date,
        periods.working_days,
        periods.working_days_elapsed,
    from stage_targets
    inner join periods
        on
            stage_targets.period_grain = periods.period_grain
            and stage_targets.period_date = periods.period_date
),

scoped_deal_stages as (
    select
        deal_stages.*,
        'all' as scope_name,
        'all' as scope_value,
    from deal_stages

    union all

    select
        deal_stages.*,
        'team' as scope_name,
        team as scope_value,
    from deal_stages
    where team is not null

    union all

    select
        deal_stages.*,
        'owner' as scope_name,
        owner_id as scope_value,
    from deal_stages
    where owner_id is not null
),

reached_stages as (
    select
        scopes.funnel_id,
        scopes.period_grain,
        scopes.period_date,
        scopes.scope_name,
        scopes.scope_value,
        scoped_deal_stages.stage_id,
        count(*) as reached,
        count(*) - count(scoped_deal_stages.amount) as amount_unknown,
        sum(scoped_deal_stages.amount) as amount,
    from scopes
    inner join scoped_deal_stages
        on
            scopes.funnel_id = scoped_deal_stages.funnel_id
            and scopes.scope_name = scoped_deal_stages.scope_name
            and scopes.scope_value = scoped_deal_stages.scope_value
            and scopes.period_date <= scoped_deal_stages.reached_date
            and scopes.next_period_date > scoped_deal_stages.reached_date
    group by all
),

-- Who came to an end in the period without reaching the next stage.
dropped_stages as (
    select
        scopes.funnel_id,
        scopes.period_grain,
        scopes.period_date,
        scopes.scope_name,
        scopes.scope_value,
        scoped_deal_stages.stage_id,
        count(*) as dropped,
    from scopes
    inner join scoped_deal_stages
        on
            scopes.funnel_id = scoped_deal_stages.funnel_id
            and scopes.scope_name = scoped_deal_stages.scope_name
            and scopes.scope_value = scoped_deal_stages.scope_value
            and scopes.period_date <= scoped_deal_stages.ended_date
            and scopes.next_period_date > scoped_deal_stages.ended_date
    where
        scoped_deal_stages.outcome in ('lost', 'abandoned')
        and scoped_deal_stages.stage_position = scoped_deal_stages.furthest_stage_position
    group by all
),

counted_stages as (
    select
        scopes.funnel_id,
        scopes.period_grain,
        scopes.period_date,
        scopes.scope_name,
        scopes.scope_value,
        scopes.working_days,
        scopes.working_days_elapsed,
        plan_stages.stage_id,
        plan_stages.stage_kind,
        plan_stages.stage_position,
        stage_targets.target_deals,
        stage_targets.target_amount,
        stage_targets.target_step_rate,
        coalesce(reached_stages.reached, 0) as reached,
        coalesce(reached_stages.amount_unknown, 0) as amount_unknown,
        -- Nobody brings nothing; what deals of unknown amount bring is not known.
        case when reached_stages.reached is null then 0 else reached_stages.amount end as amount,
        coalesce(dropped_stages.dropped, 0) as dropped,
    from scopes
    inner join plan_stages
        on scopes.funnel_id = plan_stages.funnel_id
    left join stage_targets
        on
            scopes.funnel_id = stage_targets.funnel_id
            and scopes.period_grain = stage_targets.period_grain
            and scopes.period_date = stage_targets.period_date
            and scopes.scope_name = stage_targets.scope_name
            and scopes.scope_value = stage_targets.scope_value
            and plan_stages.stage_id = stage_targets.stage_id
    left join reached_stages
        on
            scopes.funnel_id = reached_stages.funnel_id
            and scopes.period_grain = reached_stages.period_grain
            and scopes.period_date = reached_stages.period_date
            and scopes.scope_name = reached_stages.scope_name
            and scopes.scope_value = reached_stages.scope_value
            and plan_stages.stage_id = reached_stages.stage_id
    left join dropped_stages
        on
            scopes.funnel_id = dropped_stages.funnel_id
            and scopes.period_grain = dropped_stages.period_grain
            and scopes.period_date = dropped_stages.period_date
            and scopes.scope_name = dropped_stages.scope_name
            and scopes.scope_value = dropped_stages.scope_value
            and plan_stages.stage_id = dropped_stages.stage_id
),

compared_stages as (
    select
        *,
        lag(reached) over ladder as previous_reached,
        lag(target_deals) over ladder as previous_target_deals,
        reached + lag(dropped) over ladder as decided,
    from counted_stages
    window ladder as (
        partition by funnel_id, period_grain, period_date, scope_name, scope_value
        order by stage_position
    )
),

-- How many wins one more deal in the stage brings, from the win downwards.
wins_of_one_more as (
    select
        funnel_id,
        period_grain,
        period_date,
        scope_name,
        scope_value,
        stage_position,
        cast(1 as double) as wins,
        {{ rate('reached', 'decided') }} as step_rate,
    from compared_stages
    where stage_kind = 'won'

    union all

    select
        compared_stages.funnel_id,
        compared_stages.period_grain,
        compared_stages.period_date,
        compared_stages.scope_name,
        compared_stages.scope_value,
        compared_stages.stage_position,
        wins_of_one_more.wins * wins_of_one_more.step_rate as wins,
        {{ rate('compared_stages.reached', 'compared_stages.decided') }} as step_rate,
    from wins_of_one_more
    inner join compared_stages
        on
            wins_of_one_more.funnel_id = compared_stages.funnel_id
            and wins_of_one_more.period_grain = compared_stages.period_grain
            and wins_of_one_more.period_date = compared_stages.period_date
            and wins_of_one_more.scope_name = compared_stages.scope_name
            and wins_of_one_more.scope_value = compared_stages.scope_value
            and wins_of_one_more.stage_position - 1 = compared_stages.stage_position
),

corrected_stages as (
    select
        compared_stages.*,
        case
            when compared_stages.target_step_rate is null or wins_of_one_more.step_rate is null
                then null
            when compared_stages.target_step_rate <= wins_of_one_more.step_rate then 0
            else
                compared_stages.decided
                * (compared_stages.target_step_rate - wins_of_one_more.step_rate)
                * wins_of_one_more.wins
        end as correction_wins,
    from compared_stages
    inner join wins_of_one_more
        on
            compared_stages.funnel_id = wins_of_one_more.funnel_id
            and compared_stages.period_grain = wins_of_one_more.period_grain
            and compared_stages.period_date = wins_of_one_more.period_date
            and compared_stages.scope_name = wins_of_one_more.scope_name
            and compared_stages.scope_value = wins_of_one_more.scope_value
            and compared_stages.stage_position = wins_of_one_more.stage_position
)

select
    funnel_id,
    period_grain,
    period_date,
    scope_name,
    scope_value,
    stage_id,
    stage_position,
    cast(target_deals as bigint) as target_deals,
    reached,
    {{ rate('reached', 'target_deals') }} as deals_attainment,
    target_amount,
    cast(amount as decimal(18, 4)) as amount,
    amount_unknown,
    {{ rate('amount', 'target_amount') }} as amount_attainment,
    target_step_rate,
    decided,
    {{ rate('reached', 'decided') }} as decided_step_rate,
    {{ wilson_low('reached', 'decided') }} as decided_step_rate_low,
    {{ wilson_high('reached', 'decided') }} as decided_step_rate_high,
    {{ is_reportable('decided') }} as decided_step_rate_is_reportable,
    {{ rate('reached', 'decided') }} - target_step_rate as step_rate_gap,
    {{ rate('reached', 'decided') }} / nullif(target_step_rate, 0) as step_rate_attainment,
    cast(previous_target_deals as bigint) as previous_target_deals,
    {{ rate('target_deals', 'previous_target_deals') }} as target_shape,
    previous_reached,
    {{ rate('reached', 'previous_reached') }} as shape,
    {{ rate('reached', 'previous_reached') }}
    - {{ rate('target_deals', 'previous_target_deals') }} as shape_gap,
    working_days,
    working_days_elapsed,
    {{ rate('reached * working_days', 'working_days_elapsed') }} as projected_deals,
    {{ rate('reached * working_days', 'working_days_elapsed * target_deals') }}
        as projected_deals_attainment,
    cast({{ rate('amount * working_days', 'working_days_elapsed') }} as decimal(18, 4))
        as projected_amount,
    {{ rate('amount * working_days', 'working_days_elapsed * target_amount') }}
        as projected_amount_attainment,
    correction_wins,
    case
        when correction_wins > 0
            then cast(
                rank() over (
                    partition by funnel_id, period_grain, period_date, scope_name, scope_value
                    order by correction_wins desc nulls last
                ) as integer
            )
    end as correction_rank,
from corrected_stages
