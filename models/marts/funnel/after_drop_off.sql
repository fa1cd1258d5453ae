{%- set names_of_a_stage = 50 -%}

with

drop_offs as (
    select
        cell_id,
        funnel_id,
        stage_id,
        next_type,
        next_name,
        microseconds_to_next,
    from {{ ref('int_drop_offs') }}
),

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        segment_adds_up,
    from {{ ref('int_cohort_segments') }}
    -- Weeks and days would have about a row for every journey.
    where cohort_grain in ('all', 'year', 'quarter', 'month')
),

cell_cohorts as (
    select
        cell_cohorts.cell_id,
        cell_cohorts.cohort_segment_id,
    from {{ ref('int_cell_cohorts') }} as cell_cohorts
    inner join cohort_segments
        on cell_cohorts.cohort_segment_id = cohort_segments.cohort_segment_id
),

cohort_stages as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        lost + abandoned as dropped,
    from {{ ref('int_cohort_stages') }}
),

names as (
    select
        funnel_id,
        stage_id,
        next_type,
        next_name,
        count(*) as journeys,
    from drop_offs
    where microseconds_to_next is not null
    group by all
),

rare_names as (
    select
        funnel_id,
        stage_id,
        next_type,
        next_name,
    from names
    qualify
        row_number() over (
            partition by funnel_id, stage_id
            order by journeys desc, next_type asc, next_name asc
        ) > {{ names_of_a_stage }}
),

named_drop_offs as (
    select
        drop_offs.cell_id,
        drop_offs.stage_id,
        case when rare_names.funnel_id is null then drop_offs.next_type else 'other' end
            as next_type,
        case when rare_names.funnel_id is null then drop_offs.next_name else '(other)' end
            as next_name,
        drop_offs.microseconds_to_next,
    from drop_offs
    left join rare_names
        on
            drop_offs.funnel_id = rare_names.funnel_id
            and drop_offs.stage_id = rare_names.stage_id
            and drop_offs.next_type = rare_names.next_type
            and drop_offs.next_name = rare_names.next_name
),

cell_names as (
    select
        cell_id,
        stage_id,
        next_type,
        next_name,
        count(*) as journeys,
    from named_drop_offs
    group by all
),

cohort_names as (
    select
        cell_cohorts.cohort_segment_id,
        cell_names.stage_id,
        cell_names.next_type,
        cell_names.next_name,
        cast(sum(cell_names.journeys) as bigint) as journeys,
    from cell_names
    inner join cell_cohorts on cell_names.cell_id = cell_cohorts.cell_id
    group by all
),

-- One number for stage and name: narrow rows sort several times as fast.
numbered_names as (
    select
        stage_id,
        next_type,
        next_name,
        row_number() over (order by stage_id, next_type, next_name) as name_number,
    from named_drop_offs
    group by stage_id, next_type, next_name
),

cohort_times as (
    select
        cell_cohorts.cohort_segment_id,
        numbered_names.name_number,
        named_drop_offs.microseconds_to_next,
    from named_drop_offs
    inner join numbered_names
        on
            named_drop_offs.stage_id = numbered_names.stage_id
            and named_drop_offs.next_type = numbered_names.next_type
            and named_drop_offs.next_name = numbered_names.next_name
    inner join cell_cohorts on named_drop_offs.cell_id = cell_cohorts.cell_id
    where named_drop_offs.microseconds_to_next is not null
),

placed_times as (
    select
        *,
        row_number() over next_time as place,
        count(*) over (
            next_time rows between unbounded preceding and unbounded following
        ) as times,
    from cohort_times
    window next_time as (
        partition by cohort_segment_id, name_number
        order by microseconds_to_next
    )
),

cohort_medians as (
    select
        placed_times.cohort_segment_id,
        numbered_names.stage_id,
        numbered_names.next_type,
        numbered_names.next_name,
        max(placed_times.times) as times,
        {{ quantile_of_placed('microseconds_to_next', 'place', 'times', 0.5) }}
            as median_microseconds,
        {{ median_bound_of_placed('microseconds_to_next', 'place', 'times', 'low') }}
            as median_microseconds_low,
        {{ median_bound_of_placed('microseconds_to_next', 'place', 'times', 'high') }}
            as median_microseconds_high,
    from placed_times
    inner join numbered_names on placed_times.name_number = numbered_names.name_number
    group by all
)

select
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    cohort_segments.segment_adds_up,
    cohort_stages.stage_id,
    cohort_stages.stage_position,
    cohort_names.next_type,
    cohort_names.next_name,
    cohort_names.journeys,
    cohort_stages.dropped,
    {{ rate('cohort_names.journeys', 'cohort_stages.dropped') }} as share,
    {{ wilson_low('cohort_names.journeys', 'cohort_stages.dropped') }} as share_low,
    {{ wilson_high('cohort_names.journeys', 'cohort_stages.dropped') }} as share_high,
    {{ is_reportable('cohort_stages.dropped') }} as share_is_reportable,
    {{ seconds_of('cohort_medians.median_microseconds') }} as median_seconds,
    {{ seconds_of('cohort_medians.median_microseconds_low') }} as median_seconds_low,
    {{ seconds_of('cohort_medians.median_microseconds_high') }} as median_seconds_high,
    {{ is_reportable('cohort_medians.times') }} as median_is_reportable,
from cohort_names
inner join cohort_segments
    on cohort_names.cohort_segment_id = cohort_segments.cohort_segment_id
inner join cohort_stages
    on
        cohort_names.cohort_segment_id = cohort_stages.cohort_segment_id
        and cohort_names.stage_id = cohort_stages.stage_id
left join cohort_medians
    on
        cohort_names.cohort_segment_id = cohort_medians.cohort_segment_id
        and cohort_names.stage_id = cohort_medians.stage_id
        and cohort_names.next_type = cohort_medians.next_type
        and cohort_names.next_name = cohort_medians.next_name
