with

funnels as (
    select
        funnel_id,
        subject_type,
        pipeline,
        hold_constant,
    from {{ ref('funnels') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
        stage_kind,
    from {{ ref('funnel_stages') }}
),

stage_rules as (
    select
        funnel_id,
        stage_id,
        rule_type,
        match_type,
        match_value,
        property_name,
        property_value,
        occurrence,
        occurrence_of,
        valid_from,
        valid_to,
    from {{ ref('stage_rules') }}
)

select
    row_number() over (
        order by
            stage_rules.funnel_id,
            stage_rules.stage_id,
            stage_rules.rule_type,
            stage_rules.match_type,
            stage_rules.match_value nulls first,
            stage_rules.property_name nulls first,
            stage_rules.property_value nulls first,
            stage_rules.occurrence nulls first,
            stage_rules.occurrence_of nulls first,
            stage_rules.valid_from nulls first,
            stage_rules.valid_to nulls first
    ) as rule_number,
    stage_rules.funnel_id,
    stage_rules.stage_id,
    funnel_stages.stage_position,
    funnel_stages.stage_kind,
    funnels.subject_type,
    funnels.pipeline,
    funnels.hold_constant,
    stage_rules.rule_type,
    stage_rules.match_type,
    coalesce(stage_rules.match_value, '') as match_value,
    stage_rules.property_name,
    stage_rules.property_value,
    cast(rtrim(stage_rules.occurrence, '+') as integer) as occurrence,
    coalesce(stage_rules.occurrence like '%+', false) as is_occurrence_open,
    coalesce(stage_rules.occurrence_of = 'name', false) as is_occurrence_of_name,
    stage_rules.valid_from,
    stage_rules.valid_to,
from stage_rules
inner join funnel_stages
    on
        stage_rules.funnel_id = funnel_stages.funnel_id
        and stage_rules.stage_id = funnel_stages.stage_id
inner join funnels
    on stage_rules.funnel_id = funnels.funnel_id
