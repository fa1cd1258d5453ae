select
    funnel_id,
    segment_name,
    segment_value,
    deal_id,
    state_number,
    movement,
    changed_at,
    changed_date,
    stage_id_before,
    stage_id,
    expected_close_date_before,
    expected_close_date,
    amount_before,
    amount_after,
    deals_change,
    amount_change,
from {{ ref('int_pipeline_moves') }}
where movement != 'stayed'
