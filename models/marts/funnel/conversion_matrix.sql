with

cell_visits as (
    select
        cell_id,
        funnel_id,
        subject_id,
        visit_number,
        stage_id,
        next_stage_id,
        microseconds_in_stage,
    from {{ ref('int_cell_visits') }}
),

cell_cohorts as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_cell_cohorts') }}
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

transitions as (
    select
        cell_id,
        funnel_id,
        subject_id,
        'entry' as from_stage_id,
        stage_id as to_stage_id,
        cast(null as bigint) as microseconds_before,
    from cell_visits
    where visit_number = 1
    union all
    select
        cell_id,
        funnel_id,
        subject_id,
        stage_id as from_stage_id,
        next_stage_id as to_stage_id,
        microseconds_in_stage as microseconds_before,
    from cell_visits
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
    from cell_visits
    where visit_number = 1
    group by all
),

cohort_stage_visits as (
    select
        cell_cohorts.cohort_segment_id,
        cell_stage_visits.from_stage_id,
        cast(sum(cell_stage_visits.visits) as bigint) as visits,
    from cell_stage_visits
    inner join cell_cohorts on cell_stage_visits.cell_id = cell_cohorts.cell_id
    group by all
),

cell_transitions as (
    select
        cell_id,
        from_stage_id,
        to_stage_id,
        count(*) as transitions,
    from transitions
    group by all
),

cohort_transitions as (
    select
        cell_cohorts.cohort_segment_id,
        cell_transitions.from_stage_id,
        cell_transitions.to_stage_id,
        cast(sum(cell_transitions.transitions) as bigint) as transitions,
    from cell_transitions
    inner join cell_cohorts on cell_transitions.cell_id = cell_cohorts.cell_id
    group by all
),

cohort_times as (
    select
        cell_cohorts.cohort_segment_id,
        transitions.from_stage_id,
        transitions.to_stage_id,
        {{ sorted_numbers('transitions.microseconds_before') }} as microseconds,
    from transitions
    inner join cell_cohorts on transitions.cell_id = cell_cohorts.cell_id
    where transitions.microseconds_before is not null
    group by all
),

cohort_medians as (
    select
        cohort_segment_id,
        from_stage_id,
        to_stage_id,
        {{ list_length('microseconds') }} as dated_transitions,
        {{ quantile_of_sorted('microseconds', 0.5) }} as microseconds,
        {{ median_low('microseconds') }} as microseconds_low,
        {{ median_high('microseconds') }} as microseconds_high,
    from cohort_times
),

-- Most subjects make a transition within one cell, and so add up like any count. Only those who do
-- in several cells are counted cohort by cohort, which costs far more.
subject_transitions as (
    select
        funnel_id,
        subject_id,
        from_stage_id,
        to_stage_id,
        min(cell_id) as cell_id,
        min(cell_id) != max(cell_id) as is_in_several_cells,
    from transitions
    group by funnel_id, subject_id, from_stage_id, to_stage_id
),

cell_subjects as (
    select
        cell_id,
        from_stage_id,
        to_stage_id,
        count(*) as subjects,
    from subject_transitions
    where not is_in_several_cells
    group by all
),

repeated_subjects as (
    select
        cell_cohorts.cohort_segment_id,
        transitions.from_stage_id,
        transitions.to_stage_id,
        count(distinct transitions.subject_id) as subjects,
    from transitions
    inner join subject_transitions
        on
            transitions.funnel_id = subject_transitions.funnel_id
            and transitions.subject_id = subject_transitions.subject_id
            and transitions.from_stage_id = subject_transitions.from_stage_id
            and transitions.to_stage_id = subject_transitions.to_stage_id
    inner join cell_cohorts on transitions.cell_id = cell_cohorts.cell_id
    where subject_transitions.is_in_several_cells
    group by cell_cohorts.cohort_segment_id, transitions.from_stage_id, transitions.to_stage_id
),

cohort_subjects as (
    select
        cohort_segment_id,
        from_stage_id,
        to_stage_id,
        cast(sum(subjects) as bigint) as subjects,
    from (
        select
            cell_cohorts.cohort_segment_id,
            cell_subjects.from_stage_id,
            cell_subjects.to_stage_id,
            cell_subjects.subjects,
        from cell_subjects
        inner join cell_cohorts on cell_subjects.cell_id = cell_cohorts.cell_id
        union all
        select
            cohort_segment_id,
            from_stage_id,
            to_stage_id,
            subjects,
        from repeated_subjects
    ) as subject_counts
    group by all
)

select
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    cohort_segments.segment_adds_up,
    cohort_transitions.from_stage_id,
    cohort_transitions.to_stage_id,
    cohort_transitions.transitions,
    cohort_subjects.subjects,
    cohort_stage_visits.visits,
    {{ rate('cohort_transitions.transitions', 'cohort_stage_visits.visits') }} as transition_rate,
    {{ wilson_low('cohort_transitions.transitions', 'cohort_stage_visits.visits') }}
        as transition_rate_low,
    {{ wilson_high('cohort_transitions.transitions', 'cohort_stage_visits.visits') }}
        as transition_rate_high,
    {{ is_reportable('cohort_stage_visits.visits') }} as transition_rate_is_reportable,
    cast(coalesce(cohort_medians.dated_transitions, 0) as bigint) as dated_transitions,
    {{ seconds_of('cohort_medians.microseconds') }} as median_seconds,
    {{ seconds_of('cohort_medians.microseconds_low') }} as median_seconds_low,
    {{ seconds_of('cohort_medians.microseconds_high') }} as median_seconds_high,
    {{ is_reportable('cohort_medians.dated_transitions') }} as median_is_reportable,
from cohort_transitions
inner join cohort_segments
    on cohort_transitions.cohort_segment_id = cohort_segments.cohort_segment_id
left join cohort_stage_visits
    on
        cohort_transitions.cohort_segment_id = cohort_stage_visits.cohort_segment_id
        and cohort_transitions.from_stage_id = cohort_stage_visits.from_stage_id
left join cohort_subjects
    on
        cohort_transitions.cohort_segment_id = cohort_subjects.cohort_segment_id
        and cohort_transitions.from_stage_id = cohort_subjects.from_stage_id
        and cohort_transitions.to_stage_id = cohort_subjects.to_stage_id
left join cohort_medians
    on
        cohort_transitions.cohort_segment_id = cohort_medians.cohort_segment_id
        and cohort_transitions.from_stage_id = cohort_medians.from_stage_id
        and cohort_transitions.to_stage_id = cohort_medians.to_stage_id
