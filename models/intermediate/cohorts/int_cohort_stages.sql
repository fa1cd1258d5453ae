with

cell_stages as (
    select
        cell_id,
        stage_id,
        stage_position,
        visited,
        reached,
        mature_reached,
        imputed,
        advanced,
        mature_advanced,
        mature_won_beyond,
        mature_amount_won_beyond,
        mature_amount_unknown_beyond,
        won,
        lost,
        abandoned,
        still_open,
        amount_lost,
        amount_unknown,
    from {{ ref('int_cell_stages') }}
),

cell_cohorts as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_cell_cohorts') }}
)

select
    cell_cohorts.cohort_segment_id,
    cell_stages.stage_id,
    cell_stages.stage_position,
    cast(sum(cell_stages.visited) as bigint) as visited,
    cast(sum(cell_stages.reached) as bigint) as reached,
    cast(sum(cell_stages.mature_reached) as bigint) as mature_reached,
    cast(sum(cell_stages.imputed) as bigint) as imputed,
    cast(sum(cell_stages.advanced) as bigint) as advanced,
    cast(sum(cell_stages.mature_advanced) as bigint) as mature_advanced,
    cast(sum(cell_stages.mature_won_beyond) as bigint) as mature_won_beyond,
    cast(sum(cell_stages.mature_amount_won_beyond) as decimal(18, 4)) as mature_amount_won_beyond,
    cast(sum(cell_stages.mature_amount_unknown_beyond) as bigint) as mature_amount_unknown_beyond,
    cast(sum(cell_stages.won) as bigint) as won,
    cast(sum(cell_stages.lost) as bigint) as lost,
    cast(sum(cell_stages.abandoned) as bigint) as abandoned,
    cast(sum(cell_stages.still_open) as bigint) as still_open,
    cast(sum(cell_stages.amount_lost) as decimal(18, 4)) as amount_lost,
    cast(sum(cell_stages.amount_unknown) as bigint) as amount_unknown,
from cell_stages
inner join cell_cohorts on cell_stages.cell_id = cell_cohorts.cell_id
group by all
