select
    funnel_id,
    stage_id,
    stage_name,
    stage_name_zh,
    stage_kind,
    stage_position,
    is_optional,
    win_probability,
    planned_step_rate,
    target_hours,
from {{ ref('funnel_stages') }}
