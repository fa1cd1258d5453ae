with

contacts as (
    select * from {{ ref('base_contacts') }}
    where row_status = 'kept'
)

select
    source,
    contact_id,
    account_id,
    user_id,
    merged_into_id,
    owner_id,
    email_hash,
    job_title,
    lead_source,
    region,
    {{ json_merged('further_columns', json_object_of([
        'account_id', 'merged_into_id', 'owner_id', 'job_title', 'lead_source', 'region',
        'is_deleted', 'created_at', 'deleted_at', 'updated_at',
    ])) }} as attributes,
    is_role_address,
    is_deleted,
    is_ambiguous_time,
    created_at,
    deleted_at,
    updated_at,
    delivered_at,
    source_file,
    source_row,
from contacts
