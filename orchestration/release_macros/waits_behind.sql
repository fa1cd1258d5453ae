-- What is behind a cell of cycle_times, as in
-- from waits_behind('sales_pipeline', 'target', 'won', 'competing'). to_stage: any_exit for the
-- visits of from_stage, or a later stage for the journeys that visited it. figure: completed,
-- competing, censored or undated, the column whose count they are. grain and cohort: cohort_grain and
-- cohort_date of the cell, all unless said. segment and value: its segment_name and segment_value.
-- seconds: how long it took, of completed ones. One row per visit (any_exit) or journey.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, fct_journeys, fct_journey_segments, fct_stage_visits
-- example: waits_behind('f', 'a', 'b', 'completed')
create macro waits_behind(
    funnel,
    from_stage,
    to_stage,
    figure,
    grain := 'all',
    cohort := null,
    segment := 'all',
    value := 'all'
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
                when not coalesce(list_contains(known_stages.ids, cast(from_stage as varchar)), false)
                    then 'expected from_stage as a stage of ' || funnel || ' ('
                    || known_stages.names || '), found '
                    || coalesce(cast(from_stage as varchar), 'null')
            end,
            case
                when
                    not coalesce(
                        list_contains(known_stages.ids || ['any_exit'], cast(to_stage as varchar)),
                        false
                    )
                    then 'expected to_stage any_exit or a stage of ' || funnel || ' ('
                    || known_stages.names || '), found '
                    || coalesce(cast(to_stage as varchar), 'null')
            end,
            case
                when
                    coalesce(
                        figure not in ('completed', 'competing', 'censored', 'undated'), true
                    )
                    then 'expected figure completed, competing, censored or undated, found '
                    || coalesce(cast(figure as varchar), 'null')
            end,
            $cohort_problem
        ) as problem
        from cell_problems
        cross join known_stages
    ) as problems
),

$cell_journeys

cell_visits as (
    select
        visits.funnel_id,
        visits.subject_id,
        visits.visit_number,
        visits.journey_number,
        visits.stage_id,
        visits.stage_kind,
        visits.is_current,
        visits.entered_at,
        visits.exited_at,
        visits.seconds_in_stage,
        cell_journeys.outcome,
        cell_journeys.ended_at
    from asked
    inner join fct_stage_visits as visits on asked.funnel_id = visits.funnel_id
    left join cell_journeys
        on
            visits.subject_id = cell_journeys.subject_id
            and visits.journey_number = cell_journeys.journey_number
    where
        cell_journeys.subject_id is not null
        or (visits.journey_number = 0 and grain = 'all' and segment = 'all')
),

exits as (
    select
        funnel_id,
        subject_id,
        journey_number,
        visit_number,
        case
            when seconds_in_stage is not null then 'completed'
            when is_current and entered_at is not null then 'censored'
            else 'undated'
        end as told,
        outcome,
        entered_at as from_at,
        exited_at as to_at,
        seconds_in_stage as seconds
    from cell_visits
    where stage_id = from_stage and to_stage = 'any_exit'
),

$passages

passed_waits as (
    select
        funnel_id,
        subject_id,
        journey_number,
        visit_number,
        told,
        outcome,
        from_at,
        case when told = 'completed' then to_at end as to_at,
        case
            when told = 'completed'
                then cast((epoch_us(to_at) - epoch_us(from_at)) / 1000000 as decimal(18, 6))
        end as seconds
    from passages
    where to_stage != 'any_exit'
)

select
    funnel_id,
    subject_id,
    journey_number,
    visit_number,
    outcome,
    from_at,
    to_at,
    seconds
from (
    from exits
    union all
    from passed_waits
) as waits
where told = figure
order by all
