with

funnels as (
    select
        funnel_id,
        subject_type,
        order_mode,
        pipeline,
    from {{ ref('funnels') }}
),

stage_entries as (
    select
        funnel_id,
        subject_id,
        file_number,
        source_row,
        source_sequence,
        entered_at,
    from {{ ref('int_stage_entries') }}
),

evidence as (
    select
        evidence_type,
        evidence_name,
        evidence,
        visitor_id,
        session_id,
        user_id,
        person_id,
        account_id,
        record_id,
        pipeline,
        properties,
        content_number,
        file_number,
        source_row,
        source_sequence,
        occurred_at,
    from {{ ref('int_evidence') }}
    where not is_creation and occurred_at is not null
),

exclusions as (
    select distinct
        funnel_id,
        match_value,
    from {{ ref('funnel_exclusions') }}
),

evidence_names as (
    select
        evidence_type,
        evidence_name,
    from {{ ref('int_evidence_names') }}
),

rule_types as (
    select distinct
        funnel_id,
        rule_type,
    from {{ ref('stage_rules') }}
),

-- What is no stage matters too where anything in between breaks a chain, or a named event voids it.
watched_names as (
    select
        funnels.funnel_id,
        funnels.subject_type,
        funnels.pipeline,
        evidence_names.evidence_type,
        evidence_names.evidence_name,
    from funnels
    inner join rule_types
        on funnels.funnel_id = rule_types.funnel_id
    inner join evidence_names
        on rule_types.rule_type = evidence_names.evidence_type
    left join exclusions
        on
            funnels.funnel_id = exclusions.funnel_id
            and evidence_names.evidence_name = exclusions.match_value
    where funnels.order_mode = 'strict' or exclusions.funnel_id is not null
),

watched_events as (
    select
        watched_names.funnel_id,
        {{ subject_id('watched_names.subject_type') }} as subject_id,
        evidence.evidence_name,
        evidence.evidence,
        evidence.record_id,
        evidence.file_number,
        evidence.source_row,
        evidence.source_sequence,
        evidence.content_number,
        evidence.occurred_at,
    from evidence
    inner join watched_names
        on
            evidence.evidence_type = watched_names.evidence_type
            and evidence.evidence_name = watched_names.evidence_name
            and (
                watched_names.pipeline is null
                or evidence.record_id is null
                or evidence.pipeline = watched_names.pipeline
            )
)

select
    {{ subject_key('watched_events.funnel_id', 'watched_events.subject_id') }} as subject_key,
    watched_events.funnel_id,
    watched_events.subject_id,
    watched_events.evidence_name,
    watched_events.evidence,
    watched_events.record_id,
    watched_events.file_number,
    watched_events.source_row,
    watched_events.source_sequence,
    watched_events.content_number,
    watched_events.occurred_at,
from watched_events
left join stage_entries
    on
        watched_events.funnel_id = stage_entries.funnel_id
        and watched_events.subject_id = stage_entries.subject_id
        and watched_events.file_number = stage_entries.file_number
        and watched_events.source_row = stage_entries.source_row
        and watched_events.source_sequence = stage_entries.source_sequence
        -- Versions of a record that lay under one path have the same row at other instants.
        and watched_events.occurred_at = stage_entries.entered_at
where watched_events.subject_id is not null and stage_entries.funnel_id is null
