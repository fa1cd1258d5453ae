with

funnels as (
    select funnel_id
    from {{ ref('dim_funnels') }}
    where {{ is_of_deals() }}
),

told_visits as (
    select
        visits.funnel_id,
        visits.subject_id as deal_id,
        visits.visit_number,
        visits.stage_id,
        visits.stage_position,
        visits.stage_kind,
        visits.entered_at,
        max(visits.entered_at) over by_deal as last_entered_at,
        -- Of a deal that was closed nobody knows when, no day can tell whether it was there.
        bool_or(visits.entered_at is null and visits.stage_kind != 'open') over by_deal
            as is_closing_undated,
    from {{ ref('fct_stage_visits') }} as visits
    inner join funnels
        on visits.funnel_id = funnels.funnel_id
    window by_deal as (partition by visits.funnel_id, visits.subject_id)
),

visits as (
    select
        funnel_id,
        deal_id,
        visit_number,
        stage_id,
        stage_position,
        stage_kind,
        -- An extract without history dates the beginning alone: the deal is where it is now.
        coalesce(entered_at, last_entered_at) as entered_at,
        cast(null as timestamp) as deleted_at,
    from told_visits
    where last_entered_at is not null and not is_closing_undated

    union all

    select
        funnel_id,
        deal_id,
        visit_number,
        stage_id,
        stage_position,
        stage_kind,
        entered_at,
        deleted_at,
    from {{ ref('int_deleted_deal_visits') }}
)

-- Of several visits that begin at one instant, the deal stays in the last one.
select
    funnel_id,
    deal_id,
    visit_number,
    stage_id,
    stage_position,
    stage_kind,
    entered_at,
    deleted_at,
from visits
qualify row_number() over (
    partition by funnel_id, deal_id, entered_at
    order by visit_number desc
) = 1
