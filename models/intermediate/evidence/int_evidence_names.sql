with

evidence as (
    select
        evidence_type,
        evidence_name,
        occurred_at,
    from {{ ref('int_evidence') }}
    where evidence_name is not null
)

select
    evidence_type,
    evidence_name,
    min(occurred_at) as first_occurred_at,
    max(occurred_at) as last_occurred_at,
    count(*) as evidence_rows,
from evidence
group by all
