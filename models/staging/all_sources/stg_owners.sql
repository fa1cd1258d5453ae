with

owners as (
    select * from {{ ref('base_owners') }}
    where row_status = 'kept'
)

select
    source,
    owner_id,
    manager_id,
    owner_name,
    team,
    region,
    is_active,
    is_ambiguous_time,
    created_at,
    updated_at,
    delivered_at,
    source_file,
    source_row,
from owners
