with

funnels as (
    select
        funnel_id,
        order_mode,
        collapse_repeats,
        hold_constant,
    from {{ ref('funnels') }}
    where order_mode in ('ordered', 'strict')
),

exclusions as (
    select
        funnel_id,
        after_stage_id,
        before_stage_id,
        match_value,
    from {{ ref('funnel_exclusions') }}
),

funnel_events as (
    select
        funnel_events.entry_id,
        funnel_events.funnel_id,
        funnel_events.subject_key,
        funnel_events.tie_policy,
        funnel_events.event_number,
        funnel_events.stage_id,
        funnel_events.stage_position,
        funnel_events.stage_kind,
        funnel_events.evidence_name,
        funnel_events.held_value,
        funnel_events.meets_several,
        funnel_events.lowest_stage_position,
        funnel_events.entered_at,
        funnels.order_mode,
        funnels.collapse_repeats,
        funnels.hold_constant,
    from {{ ref('int_funnel_events') }} as funnel_events
    inner join funnels
        on funnel_events.funnel_id = funnels.funnel_id
    where funnel_events.entered_at is not null
),

ladder_entries as (
    select
        *,
        {{ chain_key('subject_key', 'hold_constant', 'held_value') }} as chain_key,
    from funnel_events
    where stage_position is not null and (hold_constant is null or held_value is not null)
),

excluding_events as (
    select distinct
        exclusions.funnel_id,
        exclusions.after_stage_id,
        exclusions.before_stage_id,
        funnel_events.subject_key,
        funnel_events.event_number,
    from funnel_events
    inner join exclusions
        on
            funnel_events.funnel_id = exclusions.funnel_id
            and funnel_events.evidence_name = exclusions.match_value
),

excluded_pairs as (
    select distinct
        funnel_id,
        after_stage_id,
        before_stage_id,
    from exclusions
),

excluded_entries as (
    select
        ladder_entries.entry_id,
        ladder_entries.funnel_id,
        ladder_entries.subject_key,
        ladder_entries.stage_id,
        ladder_entries.event_number,
        excluded_pairs.before_stage_id,
    from ladder_entries
    inner join excluded_pairs
        on
            ladder_entries.funnel_id = excluded_pairs.funnel_id
            and ladder_entries.stage_id = excluded_pairs.after_stage_id
),

next_excluding_events as (
    select
        excluded_entries.entry_id,
        excluded_entries.before_stage_id,
        excluding_events.event_number,
    from excluded_entries
    asof join excluding_events
        on
            excluded_entries.subject_key = excluding_events.subject_key
            and excluded_entries.stage_id = excluding_events.after_stage_id
            and excluded_entries.before_stage_id = excluding_events.before_stage_id
            and excluded_entries.event_number < excluding_events.event_number
),

exclusion_lanes as (
    select
        entry_id,
        {{ dbt.listagg(
            "before_stage_id || ' ' || event_number", "','", "order by before_stage_id"
        ) }} as lane,
    from next_excluding_events
    group by all
),

-- Of events at one instant that could each serve more than one stage, every share-out is tried.
tied_entries as (
    select distinct
        several.entry_id,
        'event ' || several.event_number as lane,
    from ladder_entries as several
    inner join ladder_entries as tied
        on
            several.subject_key = tied.subject_key
            and several.entered_at = tied.entered_at
            and several.event_number != tied.event_number
    where several.meets_several and several.tie_policy = 'funnel_order'
),

strict_runs as (
    select
        entry_id,
        funnel_id,
        chain_key,
        stage_id,
        event_number,
        collapse_repeats,
        event_number - row_number() over (
            partition by chain_key, stage_id
            order by event_number
        ) as run_number,
    from ladder_entries
    where order_mode = 'strict'
),

strict_entries as (
    select
        entry_id,
        case
            when collapse_repeats
                then max(event_number) over (
                    partition by chain_key, stage_id, run_number
                )
            else event_number
        end as last_repeat_number,
    from strict_runs
)

select
    ladder_entries.entry_id,
    ladder_entries.funnel_id,
    ladder_entries.subject_key,
    ladder_entries.tie_policy,
    ladder_entries.chain_key,
    ladder_entries.event_number,
    ladder_entries.stage_id,
    ladder_entries.stage_position,
    ladder_entries.stage_kind,
    concat_ws(';', exclusion_lanes.lane, tied_entries.lane) as lane,
    strict_entries.last_repeat_number,
    ladder_entries.lowest_stage_position,
    ladder_entries.entered_at,
from ladder_entries
left join exclusion_lanes
    on ladder_entries.entry_id = exclusion_lanes.entry_id
left join tied_entries
    on ladder_entries.entry_id = tied_entries.entry_id
left join strict_entries
    on ladder_entries.entry_id = strict_entries.entry_id
