-- Of the whole there is a funnel also where nobody entered it. DuckDB 1.2 takes a `union` here, after
-- `with recursive`, for one that keeps repeats.
segment_values as (
    select segment_value
    from (
        select segment_value from valued
        union all
        select 'all' as segment_value where breakdown = 'all'
    ) as all_values
    group by segment_value
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
