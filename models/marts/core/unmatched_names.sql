with

evidence_names as (
    select
        evidence_type,
        evidence_name,
        first_occurred_at,
        last_occurred_at,
        evidence_rows,
    from {{ ref('int_evidence_names') }}
),

record_evidence as (
    select
        evidence_type,
        coalesce(pipeline, '(missing)') as pipeline,
        occurred_at,
    from {{ ref('int_evidence') }}
    where evidence_type in ('lead_status', 'opportunity_stage')
),

stage_rules as (
    select
        rule_type,
        match_type,
        match_value,
        pipeline,
    from {{ ref('int_stage_rules') }}
),

matched_names as (
    select distinct
        evidence_names.evidence_type,
        evidence_names.evidence_name,
    from evidence_names
    inner join stage_rules
        on
            evidence_names.evidence_type = stage_rules.rule_type
            and {{ matches_rule(
                'evidence_names.evidence_name', 'stage_rules.match_type', 'stage_rules.match_value'
            ) }}
),

pipelines as (
    select
        evidence_type,
        pipeline,
        min(occurred_at) as first_occurred_at,
        max(occurred_at) as last_occurred_at,
        count(*) as evidence_rows,
    from record_evidence
    group by all
),

-- A funnel without a pipeline takes the records of all.
taken_pipelines as (
    select distinct
        pipelines.evidence_type,
        pipelines.pipeline,
    from pipelines
    inner join stage_rules
        on
            pipelines.evidence_type = stage_rules.rule_type
            and pipelines.pipeline = coalesce(stage_rules.pipeline, pipelines.pipeline)
)

select
    evidence_names.evidence_type,
    evidence_names.evidence_name,
    evidence_names.first_occurred_at,
    evidence_names.last_occurred_at,
    evidence_names.evidence_rows,
from evidence_names
left join matched_names
    on
        evidence_names.evidence_type = matched_names.evidence_type
        and evidence_names.evidence_name = matched_names.evidence_name
where matched_names.evidence_name is null

union all

select
    case pipelines.evidence_type
        when 'lead_status' then 'lead_pipeline'
        else 'opportunity_pipeline'
    end as evidence_type,
    pipelines.pipeline as evidence_name,
    pipelines.first_occurred_at,
    pipelines.last_occurred_at,
    pipelines.evidence_rows,
from pipelines
left join taken_pipelines
    on
        pipelines.evidence_type = taken_pipelines.evidence_type
        and pipelines.pipeline = taken_pipelines.pipeline
where taken_pipelines.pipeline is null
