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

cell_days as (
    select
        cell_id,
        day_cohort_segment_id,
    from {{ ref('int_cell_days') }}
),

day_cohorts as (
    select
        day_cohort_segment_id,
        cohort_segment_id,
    from {{ ref('int_day_cohorts') }}
),

-- Added up to the days first, of which there are far fewer than cells.
day_stages as (
    select
        cell_days.day_cohort_segment_id,
        cell_stages.stage_id,
        cell_stages.stage_position,
        sum(cell_stages.visited) as visited,
        sum(cell_stages.reached) as reached,
        sum(cell_stages.mature_reached) as mature_reached,
        sum(cell_stages.imputed) as imputed,
        sum(cell_stages.advanced) as advanced,
        sum(cell_stages.mature_advanced) as mature_advanced,
        sum(cell_stages.mature_won_beyond) as mature_won_beyond,
        sum(cell_stages.mature_amount_won_beyond) as mature_amount_won_beyond,
        sum(cell_stages.mature_amount_unknown_beyond) as mature_amount_unknown_beyond,
        sum(cell_stages.won) as won,
        sum(cell_stages.lost) as lost,
        sum(cell_stages.abandoned) as abandoned,
        sum(cell_stages.still_open) as still_open,
        sum(cell_stages.amount_lost) as amount_lost,
        sum(cell_stages.amount_unknown) as amount_unknown,
    from cell_stages
    inner join cell_days on cell_stages.cell_id = cell_days.cell_id
    group by all
)

select
    day_cohorts.cohort_segment_id,
    day_stages.stage_id,
    day_stages.stage_position,
    cast(sum(day_stages.visited) as bigint) as visited,
    cast(sum(day_stages.reached) as bigint) as reached,
    cast(sum(day_stages.mature_reached) as bigint) as mature_reached,
    cast(sum(day_stages.imputed) as bigint) as imputed,
    cast(sum(day_stages.advanced) as bigint) as advanced,
    cast(sum(day_stages.mature_advanced) as bigint) as mature_advanced,
    cast(sum(day_stages.mature_won_beyond) as bigint) as mature_won_beyond,
    cast(sum(day_stages.mature_amount_won_beyond) as decimal(18, 4)) as mature_amount_won_beyond,
    cast(sum(day_stages.mature_amount_unknown_beyond) as bigint) as mature_amount_unknown_beyond,
    cast(sum(day_stages.won) as bigint) as won,
    cast(sum(day_stages.lost) as bigint) as lost,
    cast(sum(day_stages.abandoned) as bigint) as abandoned,
    cast(sum(day_stages.still_open) as bigint) as still_open,
    cast(sum(day_stages.amount_lost) as decimal(18, 4)) as amount_lost,
    cast(sum(day_stages.amount_unknown) as bigint) as amount_unknown,
from day_stages
inner join day_cohorts on day_stages.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
group by all
