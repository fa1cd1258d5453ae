with

stage_changes as (
    select * from {{ ref('base_stage_changes') }}
    where row_status = 'kept'
),

records as (
    select
        record_id,
        record_type,
    from {{ ref('stg_records') }}
)

select
    stage_changes.source,
    stage_changes.record_id,
    coalesce(stage_changes.record_type, records.record_type, 'opportunity') as record_type,
    stage_changes.stage,
    stage_changes.previous_stage,
    stage_changes.owner_id,
    stage_changes.is_ambiguous_time,
    stage_changes.changed_at,
    stage_changes.delivered_at,
    stage_changes.amount,
    stage_changes.source_file,
    stage_changes.source_row,
from stage_changes
left join records
    on stage_changes.record_id = records.record_id
