{{ config(**kept_by_subject()) }}

select
    subjects.funnel_id,
    subjects.subject_id,
    served_events.stage_position,
    served_events.entered_at,
from {{ ref('int_served_events') }} as served_events
inner join {{ ref('int_touched_subjects') }} as subjects
    on served_events.subject_key = subjects.subject_key
