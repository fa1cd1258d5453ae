segment_values as (
    select distinct segment_value from valued
    union
    select 'all' where breakdown = 'all'
),

step_counts as (
    select
        steps.step,
        steps.name,
        segment_values.segment_value,
        count(valued.subject_id) as reached
    from steps
    cross join segment_values
    left join valued
        on
            segment_values.segment_value = valued.segment_value
            and steps.step <= valued.furthest_step
    group by steps.step, steps.name, segment_values.segment_value
),

step_figures as (
    select
        *,
        lag(reached) over by_step as reached_previous,
        max(reached) over (partition by segment_value) as entered
    from step_counts
    window by_step as (partition by segment_value order by step)
)
