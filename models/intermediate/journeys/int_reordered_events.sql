with

ordered_events as (
    select
        funnel_id,
        subject_key,
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
        content_number,
        meets_several,
        lowest_stage_position,
        entered_at,
    from {{ ref('int_ordered_events') }}
),

tied_instants as (
    select
        subject_key,
        entered_at,
        case min(tie_policy)
            when 'source_order' then 'funnel_order'
            else 'source_order'
        end as other_tie_policy,
    from ordered_events
    group by subject_key, entered_at
    having min(event_number) != max(event_number)
),

tied_subjects as (
    select distinct
        subject_key,
        other_tie_policy,
    from tied_instants
),

tied_events as (
    select
        ordered_events.*,
        tied_subjects.other_tie_policy,
    from ordered_events
    inner join tied_subjects
        on ordered_events.subject_key = tied_subjects.subject_key
)

select
    -- Below zero, so that no event of the declared order has it too.
    -row_number() over () as entry_id,
    tied_events.funnel_id,
    {{ other_order_key('tied_events.subject_key') }} as subject_key,
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
