-- What a change is called is what the stages before and after it say: a win ends in a won stage, a
-- deal is created once, and what is reopened was closed before.
with

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
    from {{ ref('dim_funnel_stages') }}
)

select
    changes.funnel_id,
    changes.deal_id,
    changes.change_number,
    changes.movement,
    stages_before.stage_kind as stage_kind_before,
    stages_after.stage_kind as stage_kind_after,
from {{ ref('pipeline_changes') }} as changes
inner join funnel_stages as stages_after
    on
        changes.funnel_id = stages_after.funnel_id
        and changes.stage_id = stages_after.stage_id
left join funnel_stages as stages_before
    on
        changes.funnel_id = stages_before.funnel_id
        and changes.stage_id_before = stages_before.stage_id
where
    not case changes.movement
        when 'created'
            then
                changes.change_number = 1
                and changes.stage_id_before is null
                and stages_after.stage_kind = 'open'
        when 'reopened'
            then
                coalesce(stages_before.stage_kind, 'open') != 'open'
                and stages_after.stage_kind = 'open'
        when 'deleted' then coalesce(stages_before.stage_kind, '') = 'open'
        when 'won'
            then
                coalesce(stages_before.stage_kind, '') = 'open'
                and stages_after.stage_kind = 'won'
        when 'lost'
            then
                coalesce(stages_before.stage_kind, '') = 'open'
                and stages_after.stage_kind = 'lost'
        else
            coalesce(stages_before.stage_kind, '') = 'open'
            and stages_after.stage_kind = 'open'
    end
