with

run as (
    select as_of from {{ ref('int_run') }}
),

curves as (
    select
        curve_id,
        funnel_id,
        event,
        from_stage_id,
        to_stage_id,
    from {{ ref('int_curves') }}
),

journey_cells as (
    select
        cell_id,
        funnel_id,
        subject_id,
        journey_number,
        journey_id,
        outcome,
        entered_at,
        ended_at,
    from {{ ref('int_journey_cells') }}
),

journeys as (
    select
        cell_id,
        funnel_id,
        journey_id,
        outcome,
        entered_at,
        ended_at,
    from journey_cells
    where entered_at is not null and (ended_at is not null or outcome = 'open')
),

journey_stages as (
    select
        journey_cells.journey_id,
        journey_stages.stage_id,
        journey_stages.counted_at,
    from {{ ref('fct_journey_stages') }} as journey_stages
    inner join journey_cells
        on
            journey_stages.funnel_id = journey_cells.funnel_id
            and journey_stages.subject_id = journey_cells.subject_id
            and journey_stages.journey_number = journey_cells.journey_number
    where journey_stages.counted_at is not null
),

starts as (
    select
        journeys.cell_id,
        journeys.funnel_id,
        journeys.journey_id,
        journeys.outcome,
        journeys.ended_at,
        'entry' as stage_id,
        'reached' as event,
        journeys.entered_at as started_at,
    from journeys

    union all

    select
        journeys.cell_id,
        journeys.funnel_id,
        journeys.journey_id,
        journeys.outcome,
        journeys.ended_at,
        journey_stages.stage_id,
        'stepped' as event,
        journey_stages.counted_at as started_at,
    from journeys
    inner join journey_stages
        on journeys.journey_id = journey_stages.journey_id
),

reached_stages as (
    select
        starts.cell_id,
        curves.curve_id,
        starts.started_at,
        coalesce(journey_stages.counted_at, starts.ended_at, run.as_of) as stopped_at,
        case
            when journey_stages.stage_id is not null then 'event'
            when starts.outcome = 'open' then 'censored'
            else 'competing'
        end as fate,
    from starts
    cross join run
    inner join curves
        on
            starts.funnel_id = curves.funnel_id
            and starts.event = curves.event
            and starts.stage_id = curves.from_stage_id
    left join journey_stages
        on
            starts.journey_id = journey_stages.journey_id
            and curves.to_stage_id = journey_stages.stage_id
)

-- The next stage may have been there before: nobody waited for it.
select
    cell_id,
    curve_id,
    started_at,
    greatest({{ microseconds_between('started_at', 'stopped_at') }}, 0) as microseconds,
    fate,
from reached_stages
