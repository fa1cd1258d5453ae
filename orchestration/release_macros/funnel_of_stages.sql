-- Any ordered list of a funnel's stages as a funnel of its own, counted by subject, as in
-- from funnel_of_stages('web_purchase', ['visit', 'cart', 'payment'], window_hours := 24).
-- mode: ordered (each after the one before), strict (no other entry of a stage in between), any
-- (all within the window, in any order) or furthest (the highest visited). entry_policy: best (any
-- entry may start, the longest chain counts) or first. window_hours: from the first entry, the end
-- included; null for none. optional: stages that may be passed over. breakdown: a segment of
-- dim_segments, or year, quarter, month, week or day of the entry. from_date, to_date: first and
-- last date of the entry. One row per segment value and step.
-- reads: dim_funnels, dim_funnel_stages, dim_segments, fct_stage_entries, fct_journeys, fct_journey_segments, fct_journey_exclusions
-- example: funnel_of_stages('f', ['a'])
create macro funnel_of_stages(
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

$step_figures

select
    breakdown as segment_name,
    segment_value,
    step,
    name as stage_id,
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
