with

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        account_id,
    from {{ ref('int_deals') }}
),

ladder_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
    where stage_position is not null
),

stage_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        journey_number,
        stage_kind,
        entered_at,
        lag(stage_kind) over by_subject as previous_stage_kind,
        min(case when stage_kind != 'lost' then visit_number end) over later_visits
            as return_visit_number,
        max(case when stage_kind = 'open' then stage_position end) over earlier_visits
            as stage_position,
    from {{ ref('fct_stage_visits') }}
    window
        by_subject as (partition by funnel_id, subject_id order by visit_number),
        later_visits as (
            partition by funnel_id, subject_id
            order by visit_number
            rows between 1 following and unbounded following
        ),
        earlier_visits as (
            partition by funnel_id, subject_id, journey_number
            order by visit_number
            rows between unbounded preceding and 1 preceding
        )
),

losses as (
    select
        deals.funnel_id,
        deals.deal_id,
        stage_visits.visit_number,
        stage_visits.return_visit_number,
        deals.journey_number,
        deals.account_id,
        coalesce(stage_visits.stage_position, 1) as stage_position,
        stage_visits.entered_at as lost_at,
    from deals
    inner join stage_visits
        on
            deals.funnel_id = stage_visits.funnel_id
            and deals.deal_id = stage_visits.subject_id
            and deals.journey_number = stage_visits.journey_number
    -- From one lost stage to another, a deal is not lost once more.
    where
        stage_visits.stage_kind = 'lost'
        and coalesce(stage_visits.previous_stage_kind, 'open') != 'lost'
)

select
    losses.funnel_id,
    losses.deal_id,
    losses.visit_number,
    losses.journey_number,
    losses.return_visit_number,
    losses.account_id,
    ladder_stages.stage_id,
    losses.stage_position,
    losses.lost_at,
from losses
inner join ladder_stages
    on
        losses.funnel_id = ladder_stages.funnel_id
        and losses.stage_position = ladder_stages.stage_position
