{%- set steps_spelled = 30 -%}

with

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
        is_mature,
        entered_date,
        entered_at,
        ended_at,
    from {{ ref('fct_journeys') }}
),

steps as (
    select
        funnel_id,
        subject_id,
        journey_number,
        step_number,
        stage_id,
        is_outcome,
        is_again,
        is_late_entry,
        is_skip,
        is_regress,
        is_repeat,
        is_reopening,
        microseconds_in_stage,
    from {{ ref('int_journey_steps') }}
),

counted_steps as (
    select
        funnel_id,
        subject_id,
        journey_number,
        count(case when not is_outcome then 1 end) as steps,
        max(case when not is_outcome then step_number end) as last_step_number,
        count(case when is_again and not is_outcome then 1 end) as steps_again,
        coalesce(
            sum(case when is_again and not is_outcome then microseconds_in_stage end), 0
        ) as microseconds_again,
        bool_or(is_late_entry) as is_late_entry,
        bool_or(is_skip) as has_skip,
        bool_or(is_regress) as has_regress,
        bool_or(is_repeat) as has_repeat,
        bool_or(is_reopening) as has_reopening,
        {{ summed_hashes(narrow_hash(['step_number', 'stage_id'])) }} filter (
            where not is_outcome and step_number <= {{ steps_spelled }}
        ) as path_hash,
    from steps
    group by funnel_id, subject_id, journey_number
),

-- Spelled once for all journeys that took the same way: texts of all would have to fit into
-- memory.
example_journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        path_hash,
    from counted_steps
    where path_hash is not null
    qualify
        row_number() over (
            partition by funnel_id, path_hash
            order by subject_id, journey_number
        ) = 1
),

spelled_paths as (
    select
        example_journeys.funnel_id,
        example_journeys.path_hash,
        {{ dbt.listagg('steps.stage_id', "' > '", 'order by steps.step_number') }} as path,
    from steps
    inner join example_journeys
        on
            steps.funnel_id = example_journeys.funnel_id
            and steps.subject_id = example_journeys.subject_id
            and steps.journey_number = example_journeys.journey_number
    where not steps.is_outcome and steps.step_number <= {{ steps_spelled }}
    group by example_journeys.funnel_id, example_journeys.path_hash
)

select
    journeys.funnel_id,
    journeys.subject_id,
    journeys.journey_number,
    journeys.outcome,
    coalesce(spelled_paths.path, '(none)')
    || case when counted_steps.last_step_number > {{ steps_spelled }} then ' > …' else '' end
        as path,
    journeys.is_mature,
    coalesce(counted_steps.is_late_entry, false) as is_late_entry,
    coalesce(counted_steps.has_skip, false) as has_skip,
    coalesce(counted_steps.has_regress, false) as has_regress,
    coalesce(counted_steps.has_repeat, false) as has_repeat,
    coalesce(counted_steps.has_reopening, false) as has_reopening,
    journeys.entered_date,
    coalesce(counted_steps.steps, 0) as steps,
    coalesce(counted_steps.steps_again, 0) as steps_again,
    cast(coalesce(counted_steps.microseconds_again, 0) as bigint) as microseconds_again,
    {{ microseconds_between('journeys.entered_at', 'journeys.ended_at') }}
        as microseconds_to_outcome,
from journeys
left join counted_steps
    on
        journeys.funnel_id = counted_steps.funnel_id
        and journeys.subject_id = counted_steps.subject_id
        and journeys.journey_number = counted_steps.journey_number
left join spelled_paths
    on
        counted_steps.funnel_id = spelled_paths.funnel_id
        and counted_steps.path_hash = spelled_paths.path_hash
