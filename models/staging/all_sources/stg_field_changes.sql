with

field_changes as (
    select * from {{ ref('base_field_changes') }}
    where row_status = 'kept'
),

records as (
    select
        record_id,
        record_type,
    from {{ ref('stg_records') }}
)

select
    field_changes.source,
    field_changes.record_id,
    coalesce(field_changes.record_type, records.record_type, 'opportunity') as record_type,
    field_changes.field_name,
    field_changes.old_value,
    field_changes.new_value,
    field_changes.is_ambiguous_time,
    field_changes.changed_at,
    field_changes.delivered_at,
    field_changes.source_file,
    field_changes.source_row,
from field_changes
left join records
    on field_changes.record_id = records.record_id
