{%- set days = env_var('FUNNEL_EVENT_DAYS', '400') -%}

with

run as (
    select as_of from {{ ref('int_run') }}
),

evidence as (
    select
        evidence_type,
        evidence_name,
        visitor_id,
        session_id,
        user_id,
        person_id,
        account_id,
        record_id,
        file_number,
        source_row,
        source_sequence,
        occurred_at,
    from {{ ref('int_evidence') }}
    where not is_creation and occurred_at is not null
),

-- Numbered before the old ones are left out, so that no number changes because time passes.
numbered_events as (
    select
        evidence.*,
        row_number() over (
            partition by evidence.person_id
            order by
                evidence.occurred_at,
                evidence.file_number,
                evidence.source_row,
                evidence.source_sequence,
                evidence.evidence_type
        ) as event_number,
    from evidence
)

select
    numbered_events.person_id,
    numbered_events.event_number,
    numbered_events.evidence_type as event_type,
    numbered_events.evidence_name as event_name,
    numbered_events.visitor_id,
    numbered_events.session_id,
    numbered_events.user_id,
    numbered_events.account_id,
    numbered_events.record_id,
    numbered_events.occurred_at,
from numbered_events
cross join run
where numbered_events.occurred_at >= {{ dbt.dateadd('day', -1 * days | int, 'run.as_of') }}
