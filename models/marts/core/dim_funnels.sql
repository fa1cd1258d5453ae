with

funnels as (
    select
        funnel_id,
        funnel_name,
        subject_type,
        order_mode,
        entry_policy,
        count_by,
        window_hours,
        tie_policy,
        collapse_repeats,
        pipeline,
        hold_constant,
    from {{ ref('funnels') }}
),

stages as (
    select
        funnel_id,
        cast(count(*) as integer) as stages,
    from {{ ref('funnel_stages') }}
    where stage_kind != 'lost'
    group by all
)

select
    funnels.funnel_id,
    funnels.funnel_name,
    funnels.subject_type,
    funnels.order_mode,
    funnels.entry_policy,
    funnels.count_by,
    funnels.tie_policy,
    funnels.pipeline,
    funnels.hold_constant,
    funnels.collapse_repeats,
    cast(funnels.window_hours * 3600 as bigint) as window_seconds,
    stages.stages,
from funnels
inner join stages
    on funnels.funnel_id = stages.funnel_id
