-- The journeys behind a cell of funnel_conversion or drop_off_points, as in
-- from journeys_behind('sales_pipeline', 'approaching', 'lost', segment := 'region', value := 'EMEA').
-- figure: entered, visited, reached, imputed, advanced, won, lost, abandoned, still_open, came_back,
-- mature_entered, mature_reached or mature_advanced: the column whose count they are. grain and
-- cohort: cohort_grain and cohort_date of the cell, all journeys unless said. segment and value: its
-- segment_name and segment_value. Visits before any journey have journey_number 0.
-- One row per journey.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, fct_journeys, fct_journey_stages, fct_journey_segments, fct_stage_visits, fct_stage_entries
-- example: journeys_behind('f', 'a', 'lost')
create macro journeys_behind(
    funnel,
    stage,
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
                when not coalesce(list_contains(known_stages.ids, cast(stage as varchar)), false)
                    then 'expected a stage of ' || funnel || ' (' || known_stages.names
                    || '), found ' || coalesce(cast(stage as varchar), 'null')
            end,
            case
                when
                    coalesce(figure not in (
                        'entered', 'visited', 'reached', 'imputed', 'advanced', 'won', 'lost',
                        'abandoned', 'still_open', 'came_back', 'mature_entered', 'mature_reached',
                        'mature_advanced'
                    ), true)
                    then 'expected figure entered, visited, reached, imputed, advanced, won, lost, '
                    || 'abandoned, still_open, came_back, mature_entered, mature_reached or '
                    || 'mature_advanced, found ' || coalesce(cast(figure as varchar), 'null')
            end,
            $cohort_problem
        ) as problem
        from cell_problems
        cross join known_stages
    ) as problems
),

$cell_journeys

visited_journeys as (
    select
        visits.funnel_id,
        visits.subject_id,
        visits.journey_number,
        min(visits.entered_at) as visited_at
    from fct_stage_visits as visits
    where visits.funnel_id = funnel and visits.stage_id = stage
    group by visits.funnel_id, visits.subject_id, visits.journey_number
),

ladder_entries as (
    select
        entries.subject_id,
        entries.entered_at
    from fct_stage_entries as entries
    where
        entries.funnel_id = funnel
        and entries.stage_position is not null
        and entries.entered_at is not null
        and figure = 'came_back'
),

last_entries as (
    select
        subject_id,
        max(entered_at) as entered_at
    from ladder_entries
    group by subject_id
),

told_journeys as (
    select
        cell_journeys.*,
        journey_stages.reached_at,
        journey_stages.subject_id is not null as has_reached,
        visited_journeys.subject_id is not null as has_visited,
        visited_journeys.visited_at,
        cell_journeys.furthest_stage_id = stage as is_furthest,
        cell_journeys.furthest_stage_position > journey_stages.stage_position as has_advanced,
        coalesce(last_entries.entered_at > cell_journeys.ended_at, false) as has_come_back
    from cell_journeys
    left join fct_journey_stages as journey_stages
        on
            cell_journeys.funnel_id = journey_stages.funnel_id
            and cell_journeys.subject_id = journey_stages.subject_id
            and cell_journeys.journey_number = journey_stages.journey_number
            and journey_stages.stage_id = stage
    left join visited_journeys
        on
            cell_journeys.subject_id = visited_journeys.subject_id
            and cell_journeys.journey_number = visited_journeys.journey_number
    left join last_entries on cell_journeys.subject_id = last_entries.subject_id
),

-- Whoever visited the stage both before and in a journey is counted with the journey.
visits_before_any_journey as (
    select
        before.funnel_id,
        before.subject_id,
        before.journey_number,
        before.visited_at
    from asked
    inner join visited_journeys as before on asked.funnel_id = before.funnel_id
    left join visited_journeys as later
        on before.subject_id = later.subject_id and later.journey_number > 0
    where
        before.journey_number = 0
        and later.subject_id is null
        and figure = 'visited'
        and grain = 'all'
        and segment = 'all'
)

select
    funnel_id,
    subject_id,
    journey_number,
    entered_date,
    entered_at,
    reached_at,
    furthest_stage_id,
    outcome,
    loss_reason,
    ended_at,
    amount
from told_journeys
where
    case figure
        when 'entered' then true
        when 'visited' then has_visited
        when 'reached' then has_reached
        when 'imputed' then has_reached and not has_visited
        when 'advanced' then has_advanced
        when 'won' then is_furthest and outcome = 'won'
        when 'lost' then is_furthest and outcome = 'lost'
        when 'abandoned' then is_furthest and outcome = 'abandoned'
        when 'still_open' then is_furthest and outcome = 'open'
        when 'came_back' then is_furthest and outcome in ('lost', 'abandoned') and has_come_back
        when 'mature_entered' then is_mature
        when 'mature_reached' then is_mature and has_reached
        when 'mature_advanced' then is_mature and has_advanced
    end

union all

select
    funnel_id,
    subject_id,
    journey_number,
    null as entered_date,
    null as entered_at,
    null as reached_at,
    null as furthest_stage_id,
    null as outcome,
    null as loss_reason,
    null as ended_at,
    null as amount
from visits_before_any_journey
order by all
