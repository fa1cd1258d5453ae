with

run as (
    select as_of from {{ ref('int_run') }}
),

horizons as (
    select {{ sorted_numbers('horizon_days') }} as horizon_days,
    from {{ ref('horizons') }}
),

followed_cells as (
    select
        cell_id,
        followed_cell_number,
    from {{ ref('int_followed_cells') }}
),

curves as (
    select
        curves.curve_id,
        curves.funnel_id,
        curves.event,
        curves.from_stage_id,
        curves.to_stage_id,
        counted_funnels.waits_are_rounded,
    from {{ ref('int_curves') }} as curves
    inner join {{ ref('int_counted_funnels') }} as counted_funnels
        on curves.funnel_id = counted_funnels.funnel_id
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
),

waits as (
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
    from outcomes

    union all

    select
        cell_id,
        curve_id,
        started_at,
        greatest({{ microseconds_between('started_at', 'stopped_at') }}, 0) as microseconds,
        fate,
    from later_visits

    union all

    select
        cell_id,
        curve_id,
        started_at,
        greatest({{ microseconds_between('started_at', 'stopped_at') }}, 0) as microseconds,
        fate,
    from reached_stages
),

followed_waits as (
    select
        followed_cells.followed_cell_number,
        waits.curve_id,
        waits.microseconds,
        {{ greatest_up_to(
            'horizons.horizon_days',
            microseconds_between('waits.started_at', 'run.as_of') ~ ' // 86400000000'
        ) }} as horizon_followed,
        waits.fate,
        -- Never past a horizon: what came within it must stay within it.
        case
            when curves.waits_are_rounded
                then least(
                    {{ rounded_wait('waits.microseconds') }},
                    {{ least_from(
                        'horizons.horizon_days', '(waits.microseconds + 86399999999) // 86400000000'
                    ) }} * 86400000000
                )
            else waits.microseconds
        end as counted_microseconds,
    from waits
    cross join run
    cross join horizons
    inner join curves
        on waits.curve_id = curves.curve_id
    inner join followed_cells
        on waits.cell_id = followed_cells.cell_id
),

counted_waits as (
    select
        followed_cell_number,
        curve_id,
        counted_microseconds,
        horizon_followed,
        max(microseconds) as longest_microseconds,
        max(microseconds) filter (where fate = 'censored') as longest_censored_microseconds,
        count(*) as waits,
        count(*) filter (where fate = 'event') as events,
        count(*) filter (where fate = 'competing') as others,
    from followed_waits
    group by all
)

select
    counted_waits.followed_cell_number,
    counted_waits.curve_id,
    counted_waits.counted_microseconds as microseconds,
    counted_waits.longest_microseconds,
    counted_waits.longest_censored_microseconds,
    coalesce(
        {{ greatest_up_to(
            'horizons.horizon_days', '(counted_waits.counted_microseconds - 1) // 86400000000'
        ) }},
        0
    ) as horizon_passed,
    coalesce(counted_waits.horizon_followed, 0) as horizon_followed,
    counted_waits.waits,
    counted_waits.events,
    counted_waits.others,
from counted_waits
cross join horizons
