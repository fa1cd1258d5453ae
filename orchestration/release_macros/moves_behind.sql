-- The changes of deals behind a cell of pipeline_movements, or behind several days of it, as in
-- from moves_behind('sales_pipeline', 'lost', '2026-01-01', '2026-01-31').
-- movement_kind: a movement of the table, or null for all. from_day, to_day: first and last day.
-- segment and value: segment_name and segment_value of the cell. One row per deal and change.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, pipeline_moves
-- example: moves_behind('f', 'lost', '2026-01-01', '2026-01-31')
create macro moves_behind(
    funnel, movement_kind, from_day, to_day, segment := 'all', value := 'all'
) as table
with

$cell_check

asked as (
    select
        case when problem is null then cast(funnel as varchar) else error(problem) end as funnel_id
    from (
        select '$name: ' || coalesce(
            cell_problems.problem,
            case
                when
                    movement_kind not in (
                        'created', 'reopened', 'pulled_in', 'moved_in', 'amount_raised',
                        'amount_cut', 'revalued', 'won', 'lost', 'deleted', 'pushed_out',
                        'moved_out'
                    )
                    then 'expected movement_kind created, reopened, pulled_in, moved_in, '
                    || 'amount_raised, amount_cut, revalued, won, lost, deleted, pushed_out, '
                    || 'moved_out or null, found ' || cast(movement_kind as varchar)
            end,
            case
                when coalesce(cast(from_day as date) > cast(to_day as date), true)
                    then 'expected from_day on or before to_day, found '
                    || coalesce(cast(from_day as varchar), 'null') || ' and '
                    || coalesce(cast(to_day as varchar), 'null')
            end
        ) as problem
        from cell_problems
    ) as problems
)

select
    moves.funnel_id,
    moves.deal_id,
    moves.state_number as change_number,
    moves.movement,
    moves.changed_at,
    moves.changed_date,
    moves.stage_id_before,
    moves.stage_id,
    moves.expected_close_date_before,
    moves.expected_close_date,
    moves.amount_before,
    moves.amount_after,
    moves.deals_change,
    moves.amount_change
from asked
inner join pipeline_moves as moves on asked.funnel_id = moves.funnel_id
where
    moves.segment_name = segment
    and moves.segment_value = value
    and (movement_kind is null or moves.movement = movement_kind)
    and moves.changed_date between cast(from_day as date) and cast(to_day as date)
order by moves.changed_at, moves.deal_id, moves.movement
