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

stage_rules as (
    select
        rule_type,
        match_type,
        match_value,
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
