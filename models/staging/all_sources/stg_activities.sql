with

activities as (
    select * from {{ ref('base_activities') }}
    where row_status = 'kept'
)

select
    source,
    activity_id,
    record_id,
    contact_id,
    owner_id,
    activity_type,
    is_ambiguous_time,
    occurred_at,
    updated_at,
    delivered_at,
    source_file,
    source_row,
from activities
