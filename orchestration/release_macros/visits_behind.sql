-- The visits behind a cell of conversion_matrix (transitions), as in
-- from visits_behind('sales_pipeline', 'approaching', 'lost'). from_stage: entry for first visits.
-- to_stage: the stage visited next, or still_there, ended or abandoned. grain and cohort:
-- cohort_grain and cohort_date of the cell, all unless said. segment and value: its segment_name and
-- segment_value. One row per visit left; from entry, per first visit.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, fct_journeys, fct_journey_segments, fct_stage_visits
-- example: visits_behind('f', 'a', 'b')
create macro visits_behind(
    funnel,
    from_stage,
    to_stage,
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
                when
                    not coalesce(
                        list_contains(known_stages.ids || ['entry'], cast(from_stage as varchar)),
                        false
                    )
                    then 'expected from_stage entry or a stage of ' || funnel || ' ('
                    || known_stages.names || '), found '
                    || coalesce(cast(from_stage as varchar), 'null')
            end,
            case
                when
                    not coalesce(
                        list_contains(
                            known_stages.ids || ['still_there', 'ended', 'abandoned'],
                            cast(to_stage as varchar)
                        ), false
                    )
                    then 'expected to_stage still_there, ended, abandoned or a stage of ' || funnel
                    || ' (' || known_stages.names || '), found '
                    || coalesce(cast(to_stage as varchar), 'null')
            end,
            $cohort_problem
        ) as problem
        from cell_problems
        cross join known_stages
    ) as problems
),

$cell_journeys

cell_visits as (
    select visits.*
    from asked
    inner join fct_stage_visits as visits on asked.funnel_id = visits.funnel_id
    left join cell_journeys
        on
            visits.subject_id = cell_journeys.subject_id
            and visits.journey_number = cell_journeys.journey_number
    where
        cell_journeys.subject_id is not null
        or (visits.journey_number = 0 and grain = 'all' and segment = 'all')
)

select
    funnel_id,
    subject_id,
    visit_number,
    journey_number,
    stage_id,
    next_stage_id,
    entered_at,
    exited_at,
    seconds_in_stage
from cell_visits
where
    case
        when from_stage = 'entry' then visit_number = 1 and stage_id = to_stage
        else stage_id = from_stage and next_stage_id = to_stage
    end
order by all
