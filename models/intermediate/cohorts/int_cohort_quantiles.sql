{%- set percents = [10, 25, 50, 75, 90] -%}

with

cell_visits as (
    select
        cell_id,
        stage_id,
        next_stage_id,
        is_mature,
        microseconds_in_stage,
        business_microseconds_in_stage,
        -- Once for each journey.
        case when previous_visit_number = 0 then cumulative_microseconds end
            as cumulative_microseconds,
    from {{ ref('int_cell_visits') }}
),

stage_pairs as (
    select
        cell_id,
        from_stage_id,
        to_stage_id,
        is_mature,
        {{ microseconds_between('from_entered_at', 'to_entered_at') }} as microseconds,
    from {{ ref('int_stage_pairs') }}
    where not is_after_outcome
),

cell_days as (
    select
        cell_id,
        day_cohort_segment_id,
    from {{ ref('int_cell_days') }}
),

-- In all time stand visits before any journey, too, which are never mature.
cohorts as (
    select
        cohort_segment_id,
        mature_journeys > 0
        and mature_journeys = journeys
        and cohort_grain != 'all' as is_all_mature,
        mature_journeys > 0 as has_mature,
    from {{ ref('int_cohort_segments') }}
),

day_cohorts as (
    select
        day_cohorts.day_cohort_segment_id,
        day_cohorts.cohort_segment_id,
        cohorts.has_mature and not cohorts.is_all_mature as is_partly_mature,
    from {{ ref('int_day_cohorts') }} as day_cohorts
    inner join cohorts
        on day_cohorts.cohort_segment_id = cohorts.cohort_segment_id
),

elapsed_times as (
    select
        cell_id,
        stage_id as from_stage_id,
        'any_exit' as to_stage_id,
        is_mature,
        microseconds_in_stage as microseconds,
    from cell_visits

    union all

    select
        cell_id,
        from_stage_id,
        to_stage_id,
        is_mature,
        microseconds,
    from stage_pairs
),

times as (
    select
        cell_id,
        'elapsed' as time_kind,
        from_stage_id,
        to_stage_id,
        microseconds,
    from elapsed_times

    union all

    select
        cell_id,
        'mature' as time_kind,
        from_stage_id,
        to_stage_id,
        microseconds,
    from elapsed_times
    where is_mature

    union all

    select
        cell_id,
        'business' as time_kind,
        stage_id as from_stage_id,
        'any_exit' as to_stage_id,
        business_microseconds_in_stage as microseconds,
    from cell_visits

    union all

    select
        cell_id,
        'cumulative' as time_kind,
        stage_id as from_stage_id,
        'any_exit' as to_stage_id,
        cumulative_microseconds as microseconds,
    from cell_visits

    union all

    select
        cell_id,
        'transition' as time_kind,
        stage_id as from_stage_id,
        next_stage_id as to_stage_id,
        microseconds_in_stage as microseconds,
    from cell_visits
),

dated_times as (
    select *,
    from times
    where microseconds is not null
),

kinds as (
    select
        time_kind,
        from_stage_id,
        to_stage_id,
        row_number() over (order by time_kind, from_stage_id, to_stage_id) as kind_number,
    from dated_times
    group by time_kind, from_stage_id, to_stage_id
),

numbered_times as (
    select
        dated_times.cell_id,
        kinds.kind_number,
        dated_times.time_kind = 'mature' as is_of_mature,
        dated_times.microseconds,
    from dated_times
    inner join kinds
        on
            dated_times.time_kind = kinds.time_kind
            and dated_times.from_stage_id = kinds.from_stage_id
            and dated_times.to_stage_id = kinds.to_stage_id
),

-- Here one number stands for cohort, segment and kind: each time is copied for some thirty cohorts,
-- and narrow rows are sorted several times as fast. Of most cohorts all journeys are mature, or
-- none is: their times are not sorted twice.
cohort_times as (
    select
        day_cohorts.cohort_segment_id * 1000000 + numbered_times.kind_number as group_number,
        numbered_times.microseconds,
    from numbered_times
    inner join cell_days on numbered_times.cell_id = cell_days.cell_id
    inner join day_cohorts
        on cell_days.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
    where day_cohorts.is_partly_mature or not numbered_times.is_of_mature
),

-- Sorted by a window, which goes to the disk where memory is short: lists of the times of all
-- cohorts would have to fit.
placed_times as (
    select
        group_number,
        microseconds,
        row_number() over (partition by group_number order by microseconds) as place,
        count(*) over (
            partition by group_number
            order by microseconds
            rows between unbounded preceding and unbounded following
        ) as times,
    from cohort_times
),

quantiles as (
    select
        group_number,
        any_value(times) as times,
        {% for percent in percents -%}
            {{ quantile_of_placed('microseconds', 'place', 'times', percent / 100) }}
                as microseconds_p{{ percent }},
        {% endfor -%}
        {% for side in ['low', 'high'] -%}
            {{ median_bound_of_placed('microseconds', 'place', 'times', side) }}
                as microseconds_p50_{{ side }},
        {% endfor -%}
    from placed_times
    where
        place in ({{ median_rank('times', 'low') }}, {{ median_rank('times', 'high') }})
        {% for percent in percents -%}
            or {{ is_place_of_quantile('place', 'times', percent / 100) }}
        {% endfor %}
    group by group_number
),

cohort_quantiles as (
    select
        cast(quantiles.group_number // 1000000 as bigint) as cohort_segment_id,
        kinds.time_kind,
        kinds.from_stage_id,
        kinds.to_stage_id,
        quantiles.times,
        {% for percent in percents -%}
            quantiles.microseconds_p{{ percent }},
        {% endfor -%}
        quantiles.microseconds_p50_low,
        quantiles.microseconds_p50_high,
    from quantiles
    inner join kinds on quantiles.group_number % 1000000 = kinds.kind_number
)

select
    cohort_segment_id,
    time_kind,
    from_stage_id,
    to_stage_id,
    times,
    {% for percent in percents -%}
        microseconds_p{{ percent }},
    {% endfor -%}
    microseconds_p50_low,
    microseconds_p50_high,
from cohort_quantiles

union all

select
    cohort_quantiles.cohort_segment_id,
    'mature' as time_kind,
    cohort_quantiles.from_stage_id,
    cohort_quantiles.to_stage_id,
    cohort_quantiles.times,
    {% for percent in percents -%}
        cohort_quantiles.microseconds_p{{ percent }},
    {% endfor -%}
    cohort_quantiles.microseconds_p50_low,
    cohort_quantiles.microseconds_p50_high,
from cohort_quantiles
inner join cohorts
    on cohort_quantiles.cohort_segment_id = cohorts.cohort_segment_id
where cohort_quantiles.time_kind = 'elapsed' and cohorts.is_all_mature
