-- From any stage of a funnel to any other one, whatever lies in between, as in
-- from transitions_between('sales_pipeline', 'target', 'won', breakdown := 'region'): of the
-- journeys that visited from_stage, how many visited to_stage after it and before their outcome,
-- after how many seconds (from the first visit to the first later one; quantiles are interpolated),
-- and how many visits of from_stage led straight to to_stage (direct_moves). within_hours: count only
-- those that took at most so long. breakdown: a segment of dim_segments, or year, quarter, month,
-- week or day of the journey's entry. One row per segment value.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, fct_journeys, fct_journey_segments, fct_stage_visits
-- example: transitions_between('f', 'a', 'b')
create macro transitions_between(
    funnel, from_stage, to_stage, within_hours := null, breakdown := 'all'
) as table
with

$funnel_check

asked as (
    select
        case when problem is null then cast(funnel as varchar) else error(problem) end as funnel_id
    from (
        select '$name: ' || coalesce(
            case
                when not known_funnels.has_it
                    then 'expected a funnel of this release (' || known_funnels.names || '), found '
                    || coalesce(cast(funnel as varchar), 'null')
            end,
            case
                when not coalesce(list_contains(known_stages.ids, cast(from_stage as varchar)), false)
                    then 'expected from_stage as a stage of ' || funnel || ' ('
                    || known_stages.names || '), found '
                    || coalesce(cast(from_stage as varchar), 'null')
            end,
            case
                when
                    not coalesce(list_contains(known_stages.ids, cast(to_stage as varchar)), false)
                    or to_stage = from_stage
                    then 'expected to_stage as another stage of ' || funnel || ' ('
                    || known_stages.names || '), found '
                    || coalesce(cast(to_stage as varchar), 'null')
            end,
            case
                when try_cast(within_hours as double) <= 0
                    then 'expected within_hours above 0, found ' || cast(within_hours as varchar)
            end,
            case
                when
                    not coalesce(
                        breakdown in ('all', 'year', 'quarter', 'month', 'week', 'day')
                        or list_contains(known_segments.ids, cast(breakdown as varchar)), false
                    )
                    then 'expected breakdown all, year, quarter, month, week, day or a segment of '
                    || funnel || ' (' || known_segments.names || '), found '
                    || coalesce(cast(breakdown as varchar), 'null')
            end
        ) as problem
        from known_funnels
        cross join known_stages
        cross join known_segments
    ) as problems
),

cell_visits as (
    select
        visits.funnel_id,
        visits.subject_id,
        visits.visit_number,
        visits.journey_number,
        visits.stage_id,
        visits.stage_kind,
        visits.next_stage_id,
        visits.entered_at,
        journeys.entered_date,
        journeys.outcome,
        journeys.ended_at
    from asked
    inner join fct_stage_visits as visits on asked.funnel_id = visits.funnel_id
    inner join fct_journeys as journeys
        on
            visits.funnel_id = journeys.funnel_id
            and visits.subject_id = journeys.subject_id
            and visits.journey_number = journeys.journey_number
),

$passages

direct_moves as (
    select
        subject_id,
        journey_number,
        entered_date,
        count(*) filter (where next_stage_id = to_stage) as direct_moves
    from cell_visits
    where stage_id = from_stage
    group by subject_id, journey_number, entered_date
),

valued as (
    select
        case
            when breakdown = 'all' then 'all'
            when breakdown in ('year', 'quarter', 'month', 'week', 'day')
                then coalesce(
                    cast(
                        cast(date_trunc($period, direct_moves.entered_date) as date) as varchar
                    ), '(undated)'
                )
            else segments.segment_value
        end as segment_value,
        passages.told,
        direct_moves.direct_moves,
        case
            when passages.told = 'completed'
                then (epoch_us(passages.to_at) - epoch_us(passages.from_at)) / 1000000
        end as seconds
    from passages
    inner join direct_moves
        on
            passages.subject_id = direct_moves.subject_id
            and passages.journey_number = direct_moves.journey_number
    left join fct_journey_segments as segments
        on
            passages.funnel_id = segments.funnel_id
            and passages.subject_id = segments.subject_id
            and passages.journey_number = segments.journey_number
            and segments.segment_name = breakdown
),

counted as (
    select
        segment_value,
        count(*) as journeys,
        count(*) filter (
            where
                told = 'completed'
                and (within_hours is null or seconds <= cast(within_hours as double) * 3600)
        ) as passed,
        count(*) filter (where told = 'censored') as still_open,
        cast(sum(direct_moves) as bigint) as direct_moves,
        quantile_cont(seconds, [0.1, 0.25, 0.5, 0.75, 0.9]) filter (
            where within_hours is null or seconds <= cast(within_hours as double) * 3600
        ) as quantiles
    from valued
    group by segment_value
)

select
    breakdown as segment_name,
    segment_value,
    journeys,
    passed,
    cast(passed as double) / nullif(journeys, 0) as passed_rate,
    wilson_low(passed, journeys) as passed_rate_low,
    wilson_high(passed, journeys) as passed_rate_high,
    still_open,
    direct_moves,
    quantiles[1] as p10_seconds,
    quantiles[2] as p25_seconds,
    quantiles[3] as p50_seconds,
    quantiles[4] as p75_seconds,
    quantiles[5] as p90_seconds
from counted
order by segment_value
