with

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
    where {{ is_of_deals() }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
        win_probability,
        planned_step_rate,
    from {{ ref('dim_funnel_stages') }}
    where stage_kind != 'lost'
),

conversions as (
    select
        funnel_id,
        stage_id,
        mature_reached,
        mature_reached_previous,
    from {{ ref('funnel_conversion') }}
    where cohort_grain = 'all' and segment_name = 'all'
),

ladder_stages as (
    select
        funnel_stages.funnel_id,
        funnel_stages.stage_id,
        funnel_stages.stage_kind,
        funnel_stages.stage_position,
        funnel_stages.win_probability,
        funnel_stages.planned_step_rate,
        conversions.mature_reached,
        conversions.mature_reached_previous,
        min(case when funnel_stages.stage_kind = 'won' then funnel_stages.stage_position end)
            over (partition by funnel_stages.funnel_id) as won_position,
        lead(conversions.mature_reached) over ladder as next_mature_reached,
        lead(conversions.mature_reached_previous) over ladder as next_mature_reached_previous,
    from funnel_stages
    inner join funnels
        on funnel_stages.funnel_id = funnels.funnel_id
    left join conversions
        on
            funnel_stages.funnel_id = conversions.funnel_id
            and funnel_stages.stage_id = conversions.stage_id
    window ladder as (
        partition by funnel_stages.funnel_id
        order by funnel_stages.stage_position
    )
)

select
    funnel_id,
    stage_id,
    stage_position,
    stage_kind,
    win_probability,
    planned_step_rate,
    mature_reached,
    mature_reached_previous,
    case when stage_kind = 'open' then next_mature_reached end as next_mature_reached,
    case when stage_kind = 'open' then next_mature_reached_previous end
        as next_mature_reached_previous,
from ladder_stages
where stage_position <= won_position
