with

ordered_events as (
    select
        funnel_id,
        subject_id,
        tie_policy,
        event_number,
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
        meets_several,
        lowest_stage_position,
        entered_at,
    from {{ ref('int_ordered_events') }}
),

stage_entries as (
    select
        funnel_id,
        subject_id,
        stage_id,
        file_number,
        source_row,
        source_sequence,
        content_hash,
        entered_at,
    from {{ ref('int_stage_entries') }}
),

tied_instants as (
    select
        funnel_id,
        subject_id,
        entered_at,
        case min(tie_policy)
            when 'source_order' then 'funnel_order'
            else 'source_order'
        end as other_tie_policy,
    from ordered_events
    group by funnel_id, subject_id, entered_at
    having min(event_number) != max(event_number)
),

tied_subjects as (
    select distinct
        funnel_id,
        subject_id,
        other_tie_policy,
    from tied_instants
),

-- Among events of one instant that are no stage the order makes no difference, so that they need
-- no hash of their content.
tied_events as (
    select
        ordered_events.*,
        tied_subjects.other_tie_policy,
        stage_entries.content_hash,
    from ordered_events
    inner join tied_subjects
        on
            ordered_events.funnel_id = tied_subjects.funnel_id
            and ordered_events.subject_id = tied_subjects.subject_id
    left join stage_entries
        on
            ordered_events.funnel_id = stage_entries.funnel_id
            and ordered_events.subject_id = stage_entries.subject_id
            and ordered_events.stage_id = stage_entries.stage_id
            and ordered_events.file_number = stage_entries.file_number
            and ordered_events.source_row = stage_entries.source_row
            and ordered_events.source_sequence = stage_entries.source_sequence
            -- Versions of a record that lay under one path have the same row at other instants.
            and ordered_events.entered_at is not distinct from stage_entries.entered_at
)

select
    -- Below zero, so that no event of the declared order has it too.
    -row_number() over () as entry_id,
    tied_events.funnel_id,
    {{ other_order_key('tied_events.subject_id') }} as subject_id,
    tied_events.other_tie_policy as tie_policy,
    {{ event_number('tied_events', 'tied_events.other_tie_policy') }} as event_number,
    tied_events.stage_id,
    tied_events.stage_position,
    tied_events.stage_kind,
    tied_events.evidence_name,
    tied_events.evidence,
    tied_events.record_id,
    tied_events.held_value,
    tied_events.file_number,
    tied_events.source_row,
    tied_events.meets_several,
    tied_events.lowest_stage_position,
    tied_events.entered_at,
from tied_events
