-- The subjects behind funnel_of_stages, with the same arguments: who entered when, and how far they
-- got. Those that reached a step are those with furthest_step at or above it.
-- One row per subject and segment value.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, fct_stage_entries, fct_journeys, fct_journey_segments, fct_journey_exclusions
-- example: subjects_of_stages('f', ['a'])
create macro subjects_of_stages(
    funnel,
    stages,
    mode := 'ordered',
    entry_policy := 'best',
    window_hours := null,
    optional := [],
    breakdown := 'all',
    from_date := null,
    to_date := null
) as table
with recursive

$stage_steps

answer as (
    select
        valued.subject_id,
        breakdown as segment_name,
        valued.segment_value,
        valued.started_at,
        valued.furthest_step,
        steps.name as furthest_stage_id
    from steps
    inner join valued on steps.step = valued.furthest_step
)

select * from answer
order by started_at, subject_id, segment_value
