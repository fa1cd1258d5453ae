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
),

segment_names as (
    select distinct
        funnel_id,
        segment_name,
    from segments
)

select
    whole.funnel_id,
    whole.snapshot_date,
    whole.stage_id,
    segment_names.segment_name,
    segments.open_deals as found_deals,
    whole.open_deals as expected_deals,
    segments.open_amount as found_amount,
    whole.open_amount as expected_amount,
from segments as whole
inner join segment_names
    on whole.funnel_id = segment_names.funnel_id
-- A breakdown has no row where it has nothing.
left join segments
    on
        whole.funnel_id = segments.funnel_id
        and whole.snapshot_date = segments.snapshot_date
        and whole.stage_id = segments.stage_id
        and segment_names.segment_name = segments.segment_name
where
    whole.segment_name = 'all'
    and (
        coalesce(segments.open_deals, 0) != whole.open_deals
        or coalesce(segments.open_amount, 0) != whole.open_amount
    )
