with

stage_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        journey_number,
        stage_id,
        next_stage_id,
        is_current,
        entered_at,
        seconds_in_stage,
        business_seconds_in_stage,
    from {{ ref('fct_stage_visits') }}
),

journey_cells as (
    select
        funnel_id,
        subject_id,
        journey_number,
        journey_id,
        cell_id,
        outcome,
        is_mature,
        ended_at,
    from {{ ref('int_journey_cells') }}
),

counted_funnels as (
    select
        funnel_id,
        cell_before_any_journey,
    from {{ ref('int_counted_funnels') }}
),

run as (
    select as_of, from {{ ref('int_run') }}
)

select
    case
        when stage_visits.journey_number = 0 then counted_funnels.cell_before_any_journey
        else journey_cells.cell_id
    end as cell_id,
    stage_visits.funnel_id,
    stage_visits.subject_id,
    stage_visits.journey_number,
    journey_cells.journey_id,
    stage_visits.visit_number,
    coalesce(
        lag(stage_visits.visit_number) over (
            partition by
                stage_visits.funnel_id,
                stage_visits.subject_id,
                stage_visits.journey_number,
                stage_visits.stage_id
            order by stage_visits.visit_number
        ),
        0
    ) as previous_visit_number,
    stage_visits.stage_id,
    stage_visits.next_stage_id,
    journey_cells.outcome as journey_outcome,
    coalesce(journey_cells.is_mature, false) as is_mature,
    stage_visits.entered_at,
    journey_cells.ended_at as journey_ended_at,
    {{ microseconds_of('stage_visits.seconds_in_stage') }} as microseconds_in_stage,
    {{ microseconds_of('stage_visits.business_seconds_in_stage') }}
        as business_microseconds_in_stage,
    {{ microseconds_of('sum(stage_visits.seconds_in_stage) over (
            partition by
                stage_visits.funnel_id,
                stage_visits.subject_id,
                stage_visits.journey_number,
                stage_visits.stage_id
        )') }} as cumulative_microseconds,
    case
        when stage_visits.seconds_in_stage is null and stage_visits.is_current
            then {{ microseconds_between('stage_visits.entered_at', 'run.as_of') }}
    end as microseconds_waiting
from stage_visits
cross join run
inner join counted_funnels
    on stage_visits.funnel_id = counted_funnels.funnel_id
left join journey_cells
    on
        stage_visits.funnel_id = journey_cells.funnel_id
        and stage_visits.subject_id = journey_cells.subject_id
        and stage_visits.journey_number = journey_cells.journey_number
