{{ config(materialized='view') }}

select
    entry_id,
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
    meets_several,
    lowest_stage_position,
    entered_at,
from {{ ref('int_ordered_events') }}

union all

select
    entry_id,
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
    meets_several,
    lowest_stage_position,
    entered_at,
from {{ ref('int_reordered_events') }}
