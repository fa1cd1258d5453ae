select
    funnel_id,
    deal_id,
    state_number as change_number,
    changed_at,
    changed_date,
    movement,
    stage_id_before,
    stage_id,
    expected_close_date_before,
    expected_close_date,
    amount_before,
    amount_after,
    deals_change,
    amount_change,
from {{ ref('int_pipeline_moves') }}
where segment_name = 'all'
