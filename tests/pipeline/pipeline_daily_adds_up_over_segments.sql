-- Over the values of each segment, deals and amounts of a day and stage add up to the whole.
with

segments as (
    select
        funnel_id,
        snapshot_date,
        stage_id,
        segment_name,
        sum(open_deals) as open_deals,
        sum(open_amount) as open_amount,
    from {{ ref('pipeline_daily') }}
    group by all
)

select
    whole.funnel_id,
    whole.snapshot_date,
    whole.stage_id,
    segments.segment_name,
    segments.open_deals as found_deals,
    whole.open_deals as expected_deals,
    segments.open_amount as found_amount,
    whole.open_amount as expected_amount,
from segments
inner join segments as whole
    on
        segments.funnel_id = whole.funnel_id
        and segments.snapshot_date = whole.snapshot_date
        and segments.stage_id = whole.stage_id
        and whole.segment_name = 'all'
where
    segments.open_deals != whole.open_deals
    or segments.open_amount != whole.open_amount
