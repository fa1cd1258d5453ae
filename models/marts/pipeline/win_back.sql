with

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
    where {{ is_of_deals() }}
),

open_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
    where stage_kind = 'open'
),

losses as (
    select
        funnel_id,
        deal_id,
        visit_number,
        stage_id,
    from {{ ref('int_losses') }}
),

returns as (
    select
        funnel_id,
        lost_deal_id,
        lost_visit_number,
        kind,
        return_number,
        stage_id,
        outcome,
        amount,
        {{ microseconds_of('seconds_to_return') }} as microseconds_to_return,
    from {{ ref('returns') }}
),

closed_deals as (
    select
        funnel_id,
        count(*) as funnel_closed_deals,
        count(case when outcome = 'won' then 1 end) as funnel_won_deals,
    from {{ ref('int_deals') }}
    where outcome != 'open'
    group by all
),

funnel_stages as (
    select
        funnels.funnel_id,
        open_stages.stage_id,
        open_stages.stage_position,
    from funnels
    inner join open_stages
        on funnels.funnel_id = open_stages.funnel_id
    union all
    select
        funnel_id,
        'all' as stage_id,
        null as stage_position,
    from funnels
),

first_returns as (
    select
        funnel_id,
        lost_deal_id,
        lost_visit_number,
        kind,
        microseconds_to_return,
    from returns
    where return_number = 1
),

stage_scopes as (
    select false as by_stage
    union all
    select true as by_stage
),

stage_losses as (
    select
        losses.funnel_id,
        case when stage_scopes.by_stage then losses.stage_id else 'all' end as stage_id,
        count(*) as losses,
        count(distinct losses.deal_id) as lost_deals,
        count(first_returns.kind) as came_back,
        count(case when first_returns.kind = 'reopened' then 1 end) as came_back_reopened,
        count(case when first_returns.kind = 'new_deal' then 1 end) as came_back_by_new_deal,
        {{ sorted_numbers('first_returns.microseconds_to_return') }} as sorted_microseconds,
    from losses
    left join first_returns
        on
            losses.funnel_id = first_returns.funnel_id
            and losses.deal_id = first_returns.lost_deal_id
            and losses.visit_number = first_returns.lost_visit_number
    cross join stage_scopes
    group by all
),

stage_returns as (
    select
        returns.funnel_id,
        case when stage_scopes.by_stage then returns.stage_id else 'all' end as stage_id,
        count(*) as returns,
        count(case when returns.outcome = 'won' then 1 end) as returns_won,
        count(case when returns.outcome = 'lost' then 1 end) as returns_lost,
        count(case when returns.outcome = 'open' then 1 end) as returns_open,
        sum(case when returns.outcome = 'won' then returns.amount end) as amount_won,
        count(case when returns.outcome = 'won' and returns.amount is null then 1 end)
            as amount_unknown,
    from returns
    cross join stage_scopes
    group by all
),

win_backs as (
    select
        funnel_stages.funnel_id,
        funnel_stages.stage_id,
        funnel_stages.stage_position,
        coalesce(stage_losses.losses, 0) as losses,
        coalesce(stage_losses.lost_deals, 0) as lost_deals,
        coalesce(stage_losses.came_back, 0) as came_back,
        coalesce(stage_losses.came_back_reopened, 0) as came_back_reopened,
        coalesce(stage_losses.came_back_by_new_deal, 0) as came_back_by_new_deal,
        stage_losses.sorted_microseconds,
        coalesce(stage_returns.returns, 0) as returns,
        coalesce(stage_returns.returns_won, 0) as returns_won,
        coalesce(stage_returns.returns_lost, 0) as returns_lost,
        coalesce(stage_returns.returns_open, 0) as returns_open,
        coalesce(stage_returns.returns - stage_returns.returns_open, 0) as returns_closed,
        stage_returns.amount_won,
        coalesce(stage_returns.amount_unknown, 0) as amount_unknown,
        coalesce(closed_deals.funnel_won_deals, 0) as funnel_won_deals,
        coalesce(closed_deals.funnel_closed_deals, 0) as funnel_closed_deals,
    from funnel_stages
    left join stage_losses
        on
            funnel_stages.funnel_id = stage_losses.funnel_id
            and funnel_stages.stage_id = stage_losses.stage_id
    left join stage_returns
        on
            funnel_stages.funnel_id = stage_returns.funnel_id
            and funnel_stages.stage_id = stage_returns.stage_id
    left join closed_deals
        on funnel_stages.funnel_id = closed_deals.funnel_id
)

select
    funnel_id,
    stage_id,
    stage_position,
    losses,
    lost_deals,
    came_back,
    {{ rate('came_back', 'losses') }} as came_back_rate,
    {{ wilson_low('came_back', 'losses') }} as came_back_rate_low,
    {{ wilson_high('came_back', 'losses') }} as came_back_rate_high,
    {{ is_reportable('losses') }} as came_back_rate_is_reportable,
    came_back_reopened,
    came_back_by_new_deal,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.1)) }} / 86400e0
        as p10_days_to_return,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.25)) }} / 86400e0
        as p25_days_to_return,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }} / 86400e0
        as p50_days_to_return,
    {{ seconds_of(median_low('sorted_microseconds')) }} / 86400e0 as p50_days_to_return_low,
    {{ seconds_of(median_high('sorted_microseconds')) }} / 86400e0 as p50_days_to_return_high,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.75)) }} / 86400e0
        as p75_days_to_return,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.9)) }} / 86400e0
        as p90_days_to_return,
    {{ is_reportable('came_back') }} as days_to_return_is_reportable,
    returns,
    returns_won,
    returns_lost,
    returns_open,
    returns_closed,
    {{ rate('returns_won', 'returns_closed') }} as return_win_rate,
    {{ wilson_low('returns_won', 'returns_closed') }} as return_win_rate_low,
    {{ wilson_high('returns_won', 'returns_closed') }} as return_win_rate_high,
    {{ is_reportable('returns_closed') }} as return_win_rate_is_reportable,
    case
        when returns_won = 0 then 0
        else cast(amount_won as decimal(18, 4))
    end as amount_won,
    amount_unknown,
    funnel_won_deals,
    funnel_closed_deals,
    {{ rate('funnel_won_deals', 'funnel_closed_deals') }} as funnel_win_rate,
    {{ wilson_low('funnel_won_deals', 'funnel_closed_deals') }} as funnel_win_rate_low,
    {{ wilson_high('funnel_won_deals', 'funnel_closed_deals') }} as funnel_win_rate_high,
    {{ is_reportable('funnel_closed_deals') }} as funnel_win_rate_is_reportable,
from win_backs
