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

visits as (
    select
        cell_id,
        funnel_id,
        stage_id,
        entered_at,
        coalesce(microseconds_in_stage, microseconds_waiting) as microseconds,
        microseconds_in_stage is not null as was_left,
    from {{ ref('int_cell_visits') }}
    where microseconds_in_stage is not null or microseconds_waiting is not null
),

first_visits as (
    select
        cell_id,
        funnel_id,
        journey_id,
        stage_id,
        journey_outcome,
        entered_at,
        journey_ended_at,
    from {{ ref('int_cell_visits') }}
    where
        journey_id is not null
        and previous_visit_number = 0
        and entered_at is not null
        and (journey_ended_at is not null or journey_outcome = 'open')
),

stage_pairs as (
    select
        funnel_id,
        journey_id,
        from_stage_id,
        to_stage_id,
        to_entered_at,
        is_after_outcome,
    from {{ ref('int_stage_pairs') }}
),

exits as (
    select
        visits.cell_id,
        curves.curve_id,
        visits.entered_at as started_at,
        visits.microseconds,
        case when visits.was_left then 'event' else 'censored' end as fate,
    from visits
    inner join curves
        on
            visits.funnel_id = curves.funnel_id
            and visits.stage_id = curves.from_stage_id
            and curves.event = 'left'
),

-- Who visits the stage after the outcome is not waiting for it any more.
outcomes as (
    select
        first_visits.cell_id,
        curves.curve_id,
        first_visits.entered_at as started_at,
        coalesce(first_visits.journey_ended_at, run.as_of) as stopped_at,
        case
            when first_visits.journey_outcome = 'open' then 'censored'
            when (first_visits.journey_outcome = 'won') = (curves.event = 'won') then 'event'
            else 'competing'
        end as fate,
    from first_visits
    cross join run
    inner join curves
        on
            first_visits.funnel_id = curves.funnel_id
            and first_visits.stage_id = curves.from_stage_id
            and curves.event in ('won', 'lost')
    where
        first_visits.journey_outcome = 'open'
        or first_visits.journey_ended_at >= first_visits.entered_at
),

visited_stages as (
    select
        stage_pairs.journey_id,
        curves.curve_id,
        stage_pairs.to_entered_at,
        stage_pairs.is_after_outcome,
    from stage_pairs
    inner join curves
        on
            stage_pairs.funnel_id = curves.funnel_id
            and stage_pairs.from_stage_id = curves.from_stage_id
            and stage_pairs.to_stage_id = curves.to_stage_id
            and curves.event = 'visited'
),

later_visits as (
    select
        first_visits.cell_id,
        curves.curve_id,
        first_visits.entered_at as started_at,
        case
            when visited_stages.is_after_outcome is false then visited_stages.to_entered_at
            else coalesce(first_visits.journey_ended_at, run.as_of)
        end as stopped_at,
        case
            when visited_stages.is_after_outcome is false then 'event'
            when first_visits.journey_outcome = 'open' then 'censored'
            else 'competing'
        end as fate,
    from first_visits
    cross join run
    inner join curves
        on
            first_visits.funnel_id = curves.funnel_id
            and first_visits.stage_id = curves.from_stage_id
            and curves.event = 'visited'
    left join visited_stages
        on
            first_visits.journey_id = visited_stages.journey_id
            and curves.curve_id = visited_stages.curve_id
    where visited_stages.curve_id is null or visited_stages.to_entered_at is not null
),

journey_waits as (
    select * from outcomes
    union all
    select * from later_visits
)

select
    cell_id,
    curve_id,
    started_at,
    microseconds,
    fate,
from exits

union all

-- The next stage, or the outcome, may have been there before: nobody waited for it.
select
    cell_id,
    curve_id,
    started_at,
    greatest({{ microseconds_between('started_at', 'stopped_at') }}, 0) as microseconds,
    fate,
from journey_waits
