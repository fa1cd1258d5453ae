with

accounts as (
    select * from {{ ref('base_accounts') }}
    where row_status = 'kept'
)

select
    source,
    account_id,
    parent_account_id,
    merged_into_id,
    owner_id,
    account_name,
    industry,
    country,
    region,
    website,
    currency,
    {{ json_merged('further_columns', json_object_of([
        'parent_account_id', 'merged_into_id', 'owner_id', 'industry', 'country', 'region',
        'currency', 'is_deleted', 'created_at', 'deleted_at', 'updated_at', 'employees',
        'annual_revenue',
    ])) }} as attributes,
    is_deleted,
    is_ambiguous_time,
    created_at,
    deleted_at,
    updated_at,
    delivered_at,
    employees,
    annual_revenue,
    source_file,
    source_row,
from accounts
