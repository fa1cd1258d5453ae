-- The subjects behind funnel_of_events, with the same arguments: who began when, and how far they
-- got. Those that reached a step are those with furthest_step at or above it.
-- One row per subject and segment value.
-- reads: fct_events, dim_sessions
-- example: subjects_of_events('person', ['a'])
create macro subjects_of_events(
    subject_type,
    events,
    mode := 'ordered',
    entry_policy := 'best',
    window_hours := null,
    optional := [],
    breakdown := 'all',
    from_date := null,
    to_date := null
) as table
with recursive

$event_steps

answer as (
    select
        valued.subject_id,
        breakdown as segment_name,
        valued.segment_value,
        valued.started_at,
        valued.furthest_step,
        steps.name as furthest_event_name
    from steps
    inner join valued on steps.step = valued.furthest_step
)

select * from answer
order by started_at, subject_id, segment_value
