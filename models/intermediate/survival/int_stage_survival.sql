{%- set never = 9223372036854775807 -%}

with

waits as (
    select
        cell_id,
        stage_id,
        coalesce(microseconds_in_stage, microseconds_waiting) as microseconds,
        microseconds_in_stage is null as is_censored,
    from {{ ref('int_cell_visits') }}
    where microseconds_in_stage is not null or microseconds_waiting is not null
),

followed_cohorts as (
    select distinct cohort_segment_id,
    from {{ ref('int_followed_cohorts') }}
),

-- The others have whole curves.
cell_cohorts as (
    select
        cell_cohorts.cell_id,
        cell_cohorts.cohort_segment_id,
    from {{ ref('int_cell_cohorts') }} as cell_cohorts
    left join followed_cohorts
        on cell_cohorts.cohort_segment_id = followed_cohorts.cohort_segment_id
    where followed_cohorts.cohort_segment_id is null
),

stages as (
    select
        stage_id,
        row_number() over (order by stage_id) as stage_number,
    from waits
    group by stage_id
),

-- One number for cohort and stage: narrow rows sort several times as fast.
grouped_waits as (
    select
        cell_cohorts.cohort_segment_id * 1000000 + stages.stage_number as group_number,
        waits.microseconds,
        waits.is_censored,
        case when waits.is_censored then {{ never }} else waits.microseconds end as left_after,
    from waits
    inner join stages on waits.stage_id = stages.stage_id
    inner join cell_cohorts on waits.cell_id = cell_cohorts.cell_id
),

placed_waits as (
    select
        group_number,
        left_after,
        row_number() over (partition by group_number order by left_after) as place,
        count(*) over (
            partition by group_number
            order by left_after
            rows between unbounded preceding and unbounded following
        ) as visits,
    from grouped_waits
),

-- When half of all have left if none of the censored ever does: survival is half by then.
half_left as (
    select
        group_number,
        left_after,
    from placed_waits
    where place = (visits + 1) // 2
),

counted_waits as (
    select
        group_number,
        count(*) as visits,
        max(microseconds) filter (where not is_censored) as last_left,
        min(microseconds) filter (where is_censored) as first_censored,
    from grouped_waits
    group by group_number
),

cohort_waits as (
    select
        cast(counted_waits.group_number // 1000000 as bigint) as cohort_segment_id,
        stages.stage_id,
        counted_waits.visits,
        half_left.left_after as half_left,
        counted_waits.last_left,
        counted_waits.first_censored,
    from counted_waits
    inner join half_left on counted_waits.group_number = half_left.group_number
    inner join stages on counted_waits.group_number % 1000000 = stages.stage_number
),

-- If none is censored before that, it is the median. Else those who wait on stand for the censored.
censored_early as (
    select
        row_number() over (order by cohort_segment_id, stage_id) as wait_group,
        cohort_segment_id,
        stage_id,
        visits,
        least(half_left, last_left) as horizon,
    from cohort_waits
    where last_left is not null and first_censored < least(half_left, last_left)
),

-- Numbered only to be joined as a whole: joined one by one, in an order of the engine's choice, the
-- waits of a stage may meet all cohorts before they are narrowed to their own.
early_cells as (
    select
        cell_cohorts.cell_id,
        censored_early.wait_group,
        censored_early.stage_id,
        censored_early.visits,
        censored_early.horizon,
        row_number() over () as early_cell_number,
    from cell_cohorts
    inner join censored_early
        on cell_cohorts.cohort_segment_id = censored_early.cohort_segment_id
),

ordered_waits as (
    select
        early_cells.wait_group,
        waits.microseconds,
        waits.is_censored,
        -- Of equal waits, those that left come before those that are censored.
        early_cells.visits + 1 - row_number() over (
            partition by early_cells.wait_group
            order by waits.microseconds, waits.is_censored
        ) as at_risk,
    from waits
    inner join early_cells
        on
            waits.cell_id = early_cells.cell_id
            and waits.stage_id = early_cells.stage_id
            and waits.microseconds <= early_cells.horizon
    where early_cells.early_cell_number > 0
),

-- The product of (at_risk - 1) / at_risk, as a sum of logarithms in whole units of 10^-15: a sum of
-- whole numbers does not hang on how the engine splits it.
survival as (
    select
        wait_group,
        microseconds,
        count(*) over so_far as factors,
        sum(
            case
                when is_censored then 0
                when at_risk = 1 then -1000000000000000000
                else cast(round(1e15 * ln((at_risk - 1e0) / at_risk)) as bigint)
            end
        ) over so_far as log_survival,
    from ordered_waits
    window so_far as (
        partition by wait_group
        order by microseconds, is_censored
        rows between unbounded preceding and current row
    )
),

survival_medians as (
    select
        wait_group,
        -- Two units for the rounding of each factor: exactly one half must count as one half.
        min(microseconds) filter (
            where log_survival <= round(1e15 * ln(5e-1)) + 2 * factors
        ) as microseconds,
    from survival
    group by all
)

select
    cohort_waits.cohort_segment_id,
    cohort_waits.stage_id,
    case
        when censored_early.wait_group is null then nullif(cohort_waits.half_left, {{ never }})
        else survival_medians.microseconds
    end as survival_p50_microseconds
from cohort_waits
left join censored_early
    on
        cohort_waits.cohort_segment_id = censored_early.cohort_segment_id
        and cohort_waits.stage_id = censored_early.stage_id
left join survival_medians on censored_early.wait_group = survival_medians.wait_group
