with

records as (
    select * from {{ ref('base_records') }}
    where row_status = 'kept'
)

select
    source,
    record_id,
    record_type,
    pipeline,
    record_name,
    stage,
    currency,
    owner_id,
    account_id,
    email_hash,
    lead_source,
    region,
    loss_reason,
    converted_record_id,
    merged_into_id,
    {{ json_merged('further_columns', json_object_of([
        'record_type', 'pipeline', 'stage', 'currency', 'owner_id', 'account_id', 'lead_source',
        'region', 'loss_reason', 'converted_record_id', 'merged_into_id', 'is_deleted',
        'expected_close_date', 'created_at', 'closed_at', 'deleted_at', 'updated_at', 'amount',
    ])) }} as attributes,
    is_role_address,
    is_deleted,
    is_ambiguous_time,
    expected_close_date,
    created_at,
    closed_at,
    deleted_at,
    updated_at,
    delivered_at,
    amount,
    source_file,
    source_row,
from records
