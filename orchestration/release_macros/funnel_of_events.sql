-- Any ordered list of events of fct_events as a funnel, counted by subject, as in
-- from funnel_of_events('person', ['session_start', 'demo_requested', 'opportunity_stage:Closed Won']).
-- subject_type: visitor, session, user, person, account, lead or opportunity. An event is named by
-- its event_name, or by event_type:event_name where several types have that name; the same name
-- twice asks for the second time. mode: ordered (each after the one before), strict (no other event
-- in between), any (all within the window, in any order) or furthest (the highest seen).
-- entry_policy: best (any first event may start, the longest chain counts) or first. window_hours:
-- from the first event, the end included; null for none. optional: events that may be passed over.
-- breakdown: channel, landing_page, referrer_host, campaign_source, campaign_medium or
-- campaign_name of the session of the first event, or its year, quarter, month, week or day.
-- from_date, to_date: first and last date of the first event. Of one instant, the lower step is
-- first. One row per segment value and step.
-- reads: fct_events, dim_sessions
-- example: funnel_of_events('person', ['a'])
create macro funnel_of_events(
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

$step_figures

select
    breakdown as segment_name,
    segment_value,
    step,
    name as event_name,
    reached,
    reached_previous,
    cast(reached as double) / nullif(reached_previous, 0) as step_rate,
    wilson_low(reached, reached_previous) as step_rate_low,
    wilson_high(reached, reached_previous) as step_rate_high,
    entered,
    cast(reached as double) / nullif(entered, 0) as overall_rate,
    wilson_low(reached, entered) as overall_rate_low,
    wilson_high(reached, entered) as overall_rate_high
from step_figures
order by segment_value, step
