with

losses as (
    select
        funnel_id,
        deal_id,
        visit_number,
        journey_number,
        return_visit_number,
        account_id,
        stage_id,
        stage_position,
        lost_at,
    from {{ ref('int_losses') }}
),

stage_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        journey_number,
        entered_at,
    from {{ ref('fct_stage_visits') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        account_id,
        outcome,
        entered_at,
        amount,
    from {{ ref('int_deals') }}
),

reopened_deals as (
    select
        losses.funnel_id,
        losses.deal_id as lost_deal_id,
        losses.visit_number as lost_visit_number,
        'reopened' as kind,
        losses.deal_id as returned_deal_id,
        stage_visits.journey_number as returned_journey_number,
        stage_visits.visit_number as returned_visit_number,
        stage_visits.entered_at as returned_at,
    from losses
    inner join stage_visits
        on
            losses.funnel_id = stage_visits.funnel_id
            and losses.deal_id = stage_visits.subject_id
            and losses.return_visit_number = stage_visits.visit_number
),

standing_losses as (
    select
        losses.funnel_id,
        losses.account_id,
        losses.deal_id,
        losses.visit_number,
        losses.lost_at,
        reopened_deals.returned_at as reopened_at,
    from losses
    left join reopened_deals
        on
            losses.funnel_id = reopened_deals.funnel_id
            and losses.deal_id = reopened_deals.lost_deal_id
            and losses.visit_number = reopened_deals.lost_visit_number
),

new_deals as (
    select
        deals.funnel_id,
        standing_losses.deal_id as lost_deal_id,
        standing_losses.visit_number as lost_visit_number,
        'new_deal' as kind,
        deals.deal_id as returned_deal_id,
        deals.journey_number as returned_journey_number,
        0 as returned_visit_number,
        deals.entered_at as returned_at,
    from deals
    inner join standing_losses
        on
            deals.funnel_id = standing_losses.funnel_id
            and deals.account_id = standing_losses.account_id
            and deals.entered_at > standing_losses.lost_at
    where
        deals.journey_number = 1
        and deals.deal_id != standing_losses.deal_id
        -- What is open again when the account comes with another deal has come back already.
        and coalesce(standing_losses.reopened_at > deals.entered_at, true)
    qualify
        row_number() over (
            partition by deals.funnel_id, deals.deal_id
            order by standing_losses.lost_at desc, standing_losses.deal_id asc
        ) = 1
),

all_returns as (
    select * from reopened_deals
    union all
    select * from new_deals
),

-- A deal that was lost once more has fared badly, also where it was reopened after that.
lost_returns as (
    select distinct
        all_returns.funnel_id,
        all_returns.lost_deal_id,
        all_returns.lost_visit_number,
        all_returns.returned_deal_id,
    from all_returns
    inner join losses
        on
            all_returns.funnel_id = losses.funnel_id
            and all_returns.returned_deal_id = losses.deal_id
            and all_returns.returned_journey_number = losses.journey_number
            and all_returns.returned_visit_number < losses.visit_number
)

select
    all_returns.funnel_id,
    all_returns.lost_deal_id,
    all_returns.lost_visit_number,
    all_returns.returned_deal_id,
    all_returns.returned_journey_number,
    all_returns.kind,
    cast(
        row_number() over (
            partition by
                all_returns.funnel_id, all_returns.lost_deal_id, all_returns.lost_visit_number
            order by
                all_returns.returned_at asc nulls last,
                all_returns.kind desc,
                all_returns.returned_deal_id asc
        ) as integer
    ) as return_number,
    losses.account_id,
    losses.stage_id,
    losses.stage_position,
    case when lost_returns.returned_deal_id is null then deals.outcome else 'lost' end as outcome,
    losses.lost_at,
    all_returns.returned_at,
    {{ seconds_between('losses.lost_at', 'all_returns.returned_at') }} as seconds_to_return,
    deals.amount,
from all_returns
inner join losses
    on
        all_returns.funnel_id = losses.funnel_id
        and all_returns.lost_deal_id = losses.deal_id
        and all_returns.lost_visit_number = losses.visit_number
inner join deals
    on
        all_returns.funnel_id = deals.funnel_id
        and all_returns.returned_deal_id = deals.deal_id
        and all_returns.returned_journey_number = deals.journey_number
left join lost_returns
    on
        all_returns.funnel_id = lost_returns.funnel_id
        and all_returns.lost_deal_id = lost_returns.lost_deal_id
        and all_returns.lost_visit_number = lost_returns.lost_visit_number
        and all_returns.returned_deal_id = lost_returns.returned_deal_id
