with

funnels as (
    select
        funnel_id,
        tie_policy,
    from {{ ref('funnels') }}
),

stage_entries as (
    select
        funnel_id,
        subject_key,
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
        content_number,
        may_meet_several,
        entered_at,
    from {{ of_touched_subjects('int_stage_entries') }}
),

watched_events as (
    select
        funnel_id,
        subject_key,
        evidence_name,
        evidence,
        record_id,
        file_number,
        source_row,
        source_sequence,
        content_number,
        occurred_at,
    from {{ of_touched_subjects('int_watched_events') }}
),

funnel_events as (
    select
        funnel_id,
        subject_key,
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
        content_number,
        false as meets_several,
        stage_position as lowest_stage_position,
        entered_at,
    from stage_entries
    where not may_meet_several

    union all

    select
        funnel_id,
        subject_key,
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
        content_number,
        count(*) over same_event > 1 as meets_several,
        min(stage_position) over same_event as lowest_stage_position,
        entered_at,
    from stage_entries
    where may_meet_several
    window
        same_event as (
            partition by
                subject_key,
                entered_at,
                file_number,
                source_row,
                source_sequence
        )

    union all

    select
        funnel_id,
        subject_key,
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
        content_number,
        false as meets_several,
        cast(null as integer) as lowest_stage_position,
        occurred_at as entered_at,
    from watched_events
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
    numbered_events.subject_key,
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
    numbered_events.content_number,
    numbered_events.source_sequence,
    numbered_events.meets_several,
    numbered_events.lowest_stage_position,
    numbered_events.entered_at,
from numbered_events
