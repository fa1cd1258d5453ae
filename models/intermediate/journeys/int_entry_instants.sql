{{ config(**kept_by_subject()) }}

select
    funnel_id,
    subject_id,
    stage_position,
    entered_at,
from {{ ref('int_served_events') }}
where not {{ is_other_order('subject_id') }}
