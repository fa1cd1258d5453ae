with

ladder_stages as (
    select
        funnel_id,
        stage_position,
        is_optional,
    from {{ ref('funnel_stages') }}
    where stage_kind != 'lost'
),

-- Position 0 stands for the time before the first stage.
origins as (
    select
        funnel_id,
        stage_position,
    from ladder_stages

    union all

    select distinct
        funnel_id,
        0 as stage_position,
    from ladder_stages
)

select
    origins.funnel_id,
    origins.stage_position,
    successors.stage_position as next_stage_position,
from origins
inner join ladder_stages as successors
    on
        origins.funnel_id = successors.funnel_id
        and origins.stage_position < successors.stage_position
left join ladder_stages as passed_stages
    on
        origins.funnel_id = passed_stages.funnel_id
        and origins.stage_position < passed_stages.stage_position
        and successors.stage_position > passed_stages.stage_position
group by all
having coalesce(bool_and(passed_stages.is_optional), true)
