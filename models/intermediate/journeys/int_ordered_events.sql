with

funnels as (
    select
        funnel_id,
        subject_type,
        order_mode,
        tie_policy,
        pipeline,
    from {{ ref('funnels') }}
),

stage_entries as (
    select
        funnel_id,
        subject_id,
        stage_id,
        stage_position,
        stage_kind,
        evidence_name,
        evidence,
        record_id,
        held_value,
        file_number,
        source_row,
        source_sequence,
        content_hash,
        may_meet_several,
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
        evidence_id,
        properties,
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
        {{ content_hash(['evidence.evidence_id', 'evidence.properties']) }} as content_hash,
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
),

other_events as (
    select watched_events.*
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
),

funnel_events as (
    select
        funnel_id,
        subject_id,
        stage_id,
        stage_position,
        stage_kind,
        evidence_name,
        evidence,
        record_id,
        held_value,
        file_number,
        source_row,
        source_sequence,
        content_hash,
        false as meets_several,
        stage_position as lowest_stage_position,
        entered_at,
    from stage_entries
    where not may_meet_several

    union all

    select
        funnel_id,
        subject_id,
        stage_id,
        stage_position,
        stage_kind,
        evidence_name,
        evidence,
        record_id,
        held_value,
        file_number,
        source_row,
        source_sequence,
        content_hash,
        count(*) over same_event > 1 as meets_several,
        min(stage_position) over same_event as lowest_stage_position,
        entered_at,
    from stage_entries
    where may_meet_several
    window
        same_event as (
            partition by
                funnel_id,
                subject_id,
                entered_at,
                file_number,
                source_row,
                source_sequence
        )

    union all

    select
        funnel_id,
        subject_id,
        cast(null as varchar) as stage_id,
        cast(null as integer) as stage_position,
        cast(null as varchar) as stage_kind,
        evidence_name,
        evidence,
        record_id,
        cast(null as varchar) as held_value,
        file_number,
        source_row,
        source_sequence,
        content_hash,
        false as meets_several,
        cast(null as integer) as lowest_stage_position,
        occurred_at as entered_at,
    from other_events
),

numbered_events as (
    select
        funnel_events.*,
        funnels.tie_policy,
        {{ event_number('funnel_events', 'funnels.tie_policy') }} as event_number,
    from funnel_events
    inner join funnels
        on funnel_events.funnel_id = funnels.funnel_id
)

select
    -- Names a row within one build; nothing is ordered by it.
    row_number() over () as entry_id,
    numbered_events.funnel_id,
    numbered_events.subject_id,
    numbered_events.tie_policy,
    numbered_events.event_number,
    numbered_events.stage_id,
    numbered_events.stage_position,
    numbered_events.stage_kind,
    numbered_events.evidence_name,
    numbered_events.evidence,
    numbered_events.record_id,
    numbered_events.held_value,
    numbered_events.file_number,
    numbered_events.source_row,
    numbered_events.source_sequence,
    numbered_events.meets_several,
    numbered_events.lowest_stage_position,
    numbered_events.entered_at,
from numbered_events
