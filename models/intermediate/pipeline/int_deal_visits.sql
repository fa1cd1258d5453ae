with

funnels as (
    select funnel_id
    from {{ ref('dim_funnels') }}
    where subject_type = 'opportunity' and order_mode = 'furthest'
),

-- Nobody can say since when such a deal is where it is, so no day can tell where it was.
undated_deals as (
    select distinct
        funnel_id,
        subject_id,
    from {{ ref('fct_stage_visits') }}
    where entered_at is null
),

visits as (
    select
        visits.funnel_id,
        visits.subject_id as deal_id,
        visits.visit_number,
        visits.stage_id,
        visits.stage_position,
        visits.stage_kind,
        visits.entered_at,
        cast(null as timestamp) as deleted_at,
    from {{ ref('fct_stage_visits') }} as visits
    inner join funnels
        on visits.funnel_id = funnels.funnel_id
    left join undated_deals
        on
            visits.funnel_id = undated_deals.funnel_id
            and visits.subject_id = undated_deals.subject_id
    where undated_deals.subject_id is null

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
