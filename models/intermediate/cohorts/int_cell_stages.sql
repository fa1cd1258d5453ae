with

journey_cells as (
    select
        funnel_id,
        subject_id,
        journey_number,
        cell_id,
        furthest_stage_id,
        furthest_stage_position,
        outcome,
        is_mature,
        amount,
    from {{ ref('int_journey_cells') }}
),

journey_stages as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
        stage_position,
    from {{ ref('fct_journey_stages') }}
),

first_visits as (
    select
        funnel_id,
        subject_id,
        journey_number,
        cell_id,
        stage_id,
    from {{ ref('int_cell_visits') }}
    where previous_visit_number = 0
),

cells as (
    select distinct
        cell_id,
        funnel_id,
    from {{ ref('int_cell_segments') }}
),

counted_funnels as (
    select
        funnel_id,
        cell_before_any_journey,
    from {{ ref('int_counted_funnels') }}
),

ladder as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
    where stage_position is not null
),

visits_in_journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        cell_id,
        stage_id,
    from first_visits
    where journey_number > 0
),

-- Whoever visited a stage both before and in a journey is counted with the journey.
visits_before_journeys_only as (
    select
        funnel_id,
        subject_id,
        stage_id,
    from first_visits
    where journey_number = 0
    except
    select
        funnel_id,
        subject_id,
        stage_id,
    from visits_in_journeys
),

counted_visits as (
    select
        cell_id,
        stage_id,
    from visits_in_journeys
    union all
    select
        counted_funnels.cell_before_any_journey as cell_id,
        visits_before_journeys_only.stage_id,
    from visits_before_journeys_only
    inner join counted_funnels
        on visits_before_journeys_only.funnel_id = counted_funnels.funnel_id
),

visited_stages as (
    select
        cell_id,
        stage_id,
        count(*) as visited,
    from counted_visits
    group by all
),

reached_journeys as (
    select
        journey_cells.cell_id,
        journey_stages.stage_id,
        journey_cells.is_mature,
        visits_in_journeys.stage_id is null as is_imputed,
        journey_cells.furthest_stage_position > journey_stages.stage_position as has_advanced,
        journey_cells.furthest_stage_position > journey_stages.stage_position
        and journey_cells.outcome = 'won'
        and journey_cells.is_mature as is_mature_won_beyond,
        journey_cells.amount,
    from journey_stages
    inner join journey_cells
        on
            journey_stages.funnel_id = journey_cells.funnel_id
            and journey_stages.subject_id = journey_cells.subject_id
            and journey_stages.journey_number = journey_cells.journey_number
    left join visits_in_journeys
        on
            journey_stages.funnel_id = visits_in_journeys.funnel_id
            and journey_stages.subject_id = visits_in_journeys.subject_id
            and journey_stages.journey_number = visits_in_journeys.journey_number
            and journey_stages.stage_id = visits_in_journeys.stage_id
),

reached_stages as (
    select
        cell_id,
        stage_id,
        count(*) as reached,
        count(*) filter (where is_mature) as mature_reached,
        count(*) filter (where is_imputed) as imputed,
        count(*) filter (where has_advanced) as advanced,
        count(*) filter (where has_advanced and is_mature) as mature_advanced,
        count(*) filter (where is_mature_won_beyond) as mature_won_beyond,
        sum(amount) filter (where is_mature_won_beyond) as mature_amount_won_beyond,
        count(*) filter (where is_mature_won_beyond and amount is null)
            as mature_amount_unknown_beyond,
    from reached_journeys
    group by all
),

furthest_stages as (
    select
        cell_id,
        furthest_stage_id,
        count(*) filter (where outcome = 'won') as won,
        count(*) filter (where outcome = 'lost') as lost,
        count(*) filter (where outcome = 'abandoned') as abandoned,
        count(*) filter (where outcome = 'open') as still_open,
        sum(amount) filter (where outcome in ('lost', 'abandoned')) as amount_lost,
        count(*) filter (where outcome in ('lost', 'abandoned') and amount is null)
            as amount_unknown,
    from journey_cells
    group by all
)

select
    cells.cell_id,
    ladder.stage_id,
    ladder.stage_position,
    coalesce(visited_stages.visited, 0) as visited,
    coalesce(reached_stages.reached, 0) as reached,
    coalesce(reached_stages.mature_reached, 0) as mature_reached,
    coalesce(reached_stages.imputed, 0) as imputed,
    coalesce(reached_stages.advanced, 0) as advanced,
    coalesce(reached_stages.mature_advanced, 0) as mature_advanced,
    coalesce(reached_stages.mature_won_beyond, 0) as mature_won_beyond,
    coalesce(reached_stages.mature_amount_won_beyond, 0) as mature_amount_won_beyond,
    coalesce(reached_stages.mature_amount_unknown_beyond, 0) as mature_amount_unknown_beyond,
    coalesce(furthest_stages.won, 0) as won,
    coalesce(furthest_stages.lost, 0) as lost,
    coalesce(furthest_stages.abandoned, 0) as abandoned,
    coalesce(furthest_stages.still_open, 0) as still_open,
    coalesce(furthest_stages.amount_lost, 0) as amount_lost,
    coalesce(furthest_stages.amount_unknown, 0) as amount_unknown,
from cells
inner join ladder on cells.funnel_id = ladder.funnel_id
left join visited_stages
    on
        cells.cell_id = visited_stages.cell_id
        and ladder.stage_id = visited_stages.stage_id
left join reached_stages
    on
        cells.cell_id = reached_stages.cell_id
        and ladder.stage_id = reached_stages.stage_id
left join furthest_stages
    on
        cells.cell_id = furthest_stages.cell_id
        and ladder.stage_id = furthest_stages.furthest_stage_id
