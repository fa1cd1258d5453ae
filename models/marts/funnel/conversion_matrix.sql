with

cell_visits as (
    select
        cell_id,
        funnel_id,
        subject_id,
        visit_number,
        stage_id,
        next_stage_id,
    from {{ ref('int_cell_visits') }}
),

cell_days as (
    select
        cell_id,
        day_cohort_segment_id,
    from {{ ref('int_cell_days') }}
),

day_cohorts as (
    select
        day_cohort_segment_id,
        cohort_segment_id,
    from {{ ref('int_day_cohorts') }}
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
),

first_visits as (
    select
        cell_id,
        funnel_id,
        subject_id,
        'entry' as from_stage_id,
        stage_id as to_stage_id,
    from cell_visits
    where visit_number = 1
),

all_transitions as (
    select
        cell_id,
        funnel_id,
        subject_id,
        from_stage_id,
        to_stage_id,
    from first_visits
    union all
    select
        cell_id,
        funnel_id,
        subject_id,
        stage_id as from_stage_id,
        next_stage_id as to_stage_id,
    from cell_visits
),

-- One number for both stages: each transition is copied for some thirty cohorts, and narrow rows
-- are grouped several times as fast.
stage_changes as (
    select
        from_stage_id,
        to_stage_id,
        cast(row_number() over (order by from_stage_id, to_stage_id) as integer) as change_number,
    from all_transitions
    group by from_stage_id, to_stage_id
),

transitions as (
    select
        all_transitions.cell_id,
        all_transitions.funnel_id,
        all_transitions.subject_id,
        stage_changes.change_number,
    from all_transitions
    inner join stage_changes
        on
            all_transitions.from_stage_id = stage_changes.from_stage_id
            and all_transitions.to_stage_id = stage_changes.to_stage_id
),

-- Counted apart from the transitions, so that a lost one shows as a row that does not add up.
cell_stage_visits as (
    select
        cell_id,
        stage_id as from_stage_id,
        count(*) as visits,
    from cell_visits
    group by all
    union all
    select
        cell_id,
        'entry' as from_stage_id,
        count(*) as visits,
    from first_visits
    group by all
),

day_stage_visits as (
    select
        cell_days.day_cohort_segment_id,
        cell_stage_visits.from_stage_id,
        sum(cell_stage_visits.visits) as visits,
    from cell_stage_visits
    inner join cell_days on cell_stage_visits.cell_id = cell_days.cell_id
    group by all
),

cohort_stage_visits as (
    select
        day_cohorts.cohort_segment_id,
        day_stage_visits.from_stage_id,
        cast(sum(day_stage_visits.visits) as bigint) as visits,
    from day_stage_visits
    inner join day_cohorts
        on day_stage_visits.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
    group by all
),

cell_transitions as (
    select
        cell_id,
        change_number,
        count(*) as transitions,
    from transitions
    group by all
),

-- Most subjects make a transition within one cell, and so add up like any count. Only those who do
-- in several cells are counted cohort by cohort, which costs far more.
subject_transitions as (
    select
        funnel_id,
        subject_id,
        change_number,
        min(cell_id) as cell_id,
        min(cell_id) != max(cell_id) as is_in_several_cells,
    from transitions
    group by funnel_id, subject_id, change_number
),

cell_subjects as (
    select
        cell_id,
        change_number,
        count(*) as subjects,
    from subject_transitions
    where not is_in_several_cells
    group by all
),

-- What adds up is added up to the days first, of which there are fewer than cells.
day_transitions as (
    select
        cell_days.day_cohort_segment_id,
        cell_transitions.change_number,
        sum(cell_transitions.transitions) as transitions,
        sum(cell_subjects.subjects) as subjects,
    from cell_transitions
    inner join cell_days on cell_transitions.cell_id = cell_days.cell_id
    left join cell_subjects
        on
            cell_transitions.cell_id = cell_subjects.cell_id
            and cell_transitions.change_number = cell_subjects.change_number
    group by all
),

cohort_transitions as (
    select
        day_cohorts.cohort_segment_id,
        day_transitions.change_number,
        cast(sum(day_transitions.transitions) as bigint) as transitions,
        coalesce(cast(sum(day_transitions.subjects) as bigint), 0) as subjects,
    from day_transitions
    inner join day_cohorts
        on day_transitions.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
    group by all
),

repeated_subjects as (
    select
        day_cohorts.cohort_segment_id,
        transitions.change_number,
        count(distinct transitions.subject_id) as subjects,
    from transitions
    inner join subject_transitions
        on
            transitions.funnel_id = subject_transitions.funnel_id
            and transitions.subject_id = subject_transitions.subject_id
            and transitions.change_number = subject_transitions.change_number
    inner join cell_days on transitions.cell_id = cell_days.cell_id
    inner join day_cohorts
        on cell_days.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
    where subject_transitions.is_in_several_cells
    group by day_cohorts.cohort_segment_id, transitions.change_number
),

cohort_medians as (
    select
        cohort_segment_id,
        from_stage_id,
        to_stage_id,
        times as dated_transitions,
        microseconds_p50 as microseconds,
        microseconds_p50_low as microseconds_low,
        microseconds_p50_high as microseconds_high,
    from {{ ref('int_cohort_quantiles') }}
    where time_kind = 'transition'
),

matrix as (
    select
        cohort_transitions.cohort_segment_id,
        stage_changes.from_stage_id,
        stage_changes.to_stage_id,
        cohort_transitions.transitions,
        cohort_transitions.subjects + coalesce(repeated_subjects.subjects, 0) as subjects,
        coalesce(cohort_medians.dated_transitions, 0) as dated_transitions,
        cohort_medians.microseconds,
        cohort_medians.microseconds_low,
        cohort_medians.microseconds_high,
    from cohort_transitions
    inner join stage_changes
        on cohort_transitions.change_number = stage_changes.change_number
    left join repeated_subjects
        on
            cohort_transitions.cohort_segment_id = repeated_subjects.cohort_segment_id
            and cohort_transitions.change_number = repeated_subjects.change_number
    left join cohort_medians
        on
            cohort_transitions.cohort_segment_id = cohort_medians.cohort_segment_id
            and stage_changes.from_stage_id = cohort_medians.from_stage_id
            and stage_changes.to_stage_id = cohort_medians.to_stage_id
)

select
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    cohort_segments.segment_adds_up,
    matrix.from_stage_id,
    matrix.to_stage_id,
    matrix.transitions,
    matrix.subjects,
    cohort_stage_visits.visits,
    {{ rate('matrix.transitions', 'cohort_stage_visits.visits') }} as transition_rate,
    {{ wilson_low('matrix.transitions', 'cohort_stage_visits.visits') }} as transition_rate_low,
    {{ wilson_high('matrix.transitions', 'cohort_stage_visits.visits') }} as transition_rate_high,
    {{ is_reportable('cohort_stage_visits.visits') }} as transition_rate_is_reportable,
    matrix.dated_transitions,
    {{ seconds_of('matrix.microseconds') }} as median_seconds,
    {{ seconds_of('matrix.microseconds_low') }} as median_seconds_low,
    {{ seconds_of('matrix.microseconds_high') }} as median_seconds_high,
    {{ is_reportable('matrix.dated_transitions') }} as median_is_reportable,
from matrix
inner join cohort_segments
    on matrix.cohort_segment_id = cohort_segments.cohort_segment_id
left join cohort_stage_visits
    on
        matrix.cohort_segment_id = cohort_stage_visits.cohort_segment_id
        and matrix.from_stage_id = cohort_stage_visits.from_stage_id
