-- The deals behind a cell of pipeline_daily, as in
-- from deals_behind('sales_pipeline', '2026-01-31', stage := 'approaching', segment := 'team', value := 'North'):
-- those that were in the stage at the end of the day (open_deals), with their amount as it was then.
-- stage: all open stages unless said. segment and value: segment_name and segment_value of the cell.
-- One row per deal.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, pipeline_deals, pipeline_daily
-- example: deals_behind('f', '2026-01-01', stage := 'a')
create macro deals_behind(funnel, day, stage := null, segment := 'all', value := 'all') as table
with

$cell_check

known_days as (
    select
        min(daily.snapshot_date) as first_date,
        max(daily.snapshot_date) as last_date
    from pipeline_daily as daily
    where daily.funnel_id = funnel
),

asked as (
    select
        case when problem is null then cast(funnel as varchar) else error(problem) end as funnel_id
    from (
        select '$name: ' || coalesce(
            cell_problems.problem,
            case
                when not coalesce(list_contains(known_stages.ids, cast(stage as varchar)), stage is null)
                    then 'expected a stage of ' || funnel || ' (' || known_stages.names
                    || ') or null, found ' || cast(stage as varchar)
            end,
            case
                when
                    not coalesce(
                        cast(day as date) between known_days.first_date and known_days.last_date,
                        false
                    )
                    then 'expected a day of pipeline_daily ('
                    || coalesce(cast(known_days.first_date as varchar), 'none') || ' to '
                    || coalesce(cast(known_days.last_date as varchar), 'none') || '), found '
                    || coalesce(cast(day as varchar), 'null')
            end
        ) as problem
        from cell_problems
        cross join known_stages
        cross join known_days
    ) as problems
)

select
    deals.funnel_id,
    deals.deal_id,
    deals.stage_id,
    deals.owner_id,
    deals.expected_close_date,
    deals.stage_entered_at,
    deals.amount
from asked
inner join pipeline_deals as deals on asked.funnel_id = deals.funnel_id
where
    deals.segment_name = segment
    and deals.segment_value = value
    and (stage is null or deals.stage_id = stage)
    and deals.from_date <= cast(day as date)
    and (deals.until_date is null or deals.until_date > cast(day as date))
order by deals.stage_position, deals.deal_id
