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
        cohort_segments.cohort_segment_id,
        counted_funnels.times_are_rounded
        and cohort_segments.journeys > {{ var('exact_times_up_to_cohort_journeys') }} as is_large,
        cohort_segments.mature_journeys > 0
        and cohort_segments.mature_journeys = cohort_segments.journeys
        and cohort_segments.cohort_grain != 'all' as is_all_mature,
        cohort_segments.mature_journeys > 0 as has_mature,
    from {{ ref('int_cohort_segments') }} as cohort_segments
    inner join {{ ref('int_counted_funnels') }} as counted_funnels
        on cohort_segments.funnel_id = counted_funnels.funnel_id
),

day_cohorts as (
    select
        day_cohorts.day_cohort_segment_id,
        day_cohorts.cohort_segment_id,
        cohorts.is_large,
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
-- and narrow rows are grouped several times as fast. Of most cohorts all journeys are mature, or
-- none is: their times are not sorted twice.
single_times as (
    select
        day_cohorts.cohort_segment_id * 1000000 + numbered_times.kind_number as group_number,
        {{ sorted_numbers('numbered_times.microseconds') }} as times,
    from numbered_times
    inner join cell_days on numbered_times.cell_id = cell_days.cell_id
    inner join day_cohorts
        on cell_days.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
    where
        not day_cohorts.is_large
        and (day_cohorts.is_partly_mature or not numbered_times.is_of_mature)
    group by all
),

single_quantiles as (
    select
        group_number,
        {{ list_length('times') }} as times,
        {% for percent in percents -%}
            {{ quantile_of_sorted('times', percent / 100) }} as microseconds_p{{ percent }},
        {% endfor -%}
        {{ median_low('times') }} as microseconds_p50_low,
        {{ median_high('times') }} as microseconds_p50_high,
    from single_times
),

-- In a large cohort single times would not fit into memory. They are counted by length.
counted_times as (
    select
        day_cohorts.cohort_segment_id * 1000000 + numbered_times.kind_number as group_number,
        {{ rounded_wait('numbered_times.microseconds') }} as microseconds,
        count(*) as times,
    from numbered_times
    inner join cell_days on numbered_times.cell_id = cell_days.cell_id
    inner join day_cohorts
        on cell_days.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
    where
        day_cohorts.is_large
        and (day_cohorts.is_partly_mature or not numbered_times.is_of_mature)
    group by all
),

running_times as (
    select
        group_number,
        microseconds,
        sum(times) over (
            partition by group_number
            order by microseconds
            rows between unbounded preceding and current row
        ) as times_up_to,
        sum(times) over (partition by group_number) as times,
    from counted_times
),

counted_quantiles as (
    select
        group_number,
        max(times) as times,
        {% for percent in percents -%}
            {{ quantile_of_counted('microseconds', 'times_up_to', 'times', percent / 100) }}
                as microseconds_p{{ percent }},
        {% endfor -%}
        {% for side in ['low', 'high'] -%}
            min(microseconds) filter (
                where times >= 6 and times_up_to >= {{ median_rank('times', side) }}
            ) as microseconds_p50_{{ side }},
        {% endfor -%}
    from running_times
    group by all
),

quantiles as (
    select * from single_quantiles
    union all
    select * from counted_quantiles
),

cohort_quantiles as (
    select
        cast(quantiles.group_number // 1000000 as bigint) as cohort_segment_id,
        kinds.time_kind,
        kinds.from_stage_id,
        kinds.to_stage_id,
        cast(quantiles.times as bigint) as times,
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
