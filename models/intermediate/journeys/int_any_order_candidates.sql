with

funnels as (
    select
        funnel_id,
        subject_type,
        count_by,
        window_hours,
        hold_constant,
    from {{ ref('funnels') }}
    where order_mode = 'any'
),

ladder_stages as (
    select
        funnel_stages.funnel_id,
        funnel_stages.stage_id,
        funnel_stages.stage_position,
        funnel_stages.is_optional,
    from {{ ref('funnel_stages') }} as funnel_stages
    inner join funnels
        on funnel_stages.funnel_id = funnels.funnel_id
    where funnel_stages.stage_kind != 'lost'
),

excluded_stages as (
    select
        exclusions.funnel_id,
        exclusions.match_value,
        stages.stage_position,
    from {{ ref('funnel_exclusions') }} as exclusions
    inner join ladder_stages as stages
        on
            exclusions.funnel_id = stages.funnel_id
            and stages.stage_id in (exclusions.after_stage_id, exclusions.before_stage_id)
),

excluding_events as (
    select distinct
        funnel_events.funnel_id,
        funnel_events.subject_key,
        funnel_events.event_number,
        excluded_stages.stage_position,
    from {{ ref('int_funnel_events') }} as funnel_events
    inner join excluded_stages
        on
            funnel_events.funnel_id = excluded_stages.funnel_id
            and funnel_events.evidence_name = excluded_stages.match_value
    where funnel_events.entered_at is not null
),

ladder_entries as (
    select
        funnel_events.entry_id,
        funnel_events.funnel_id,
        funnel_events.subject_key,
        {{ chain_key(
            'funnel_events.subject_key', 'funnels.hold_constant', 'funnel_events.held_value'
        ) }} as chain_key,
        funnel_events.tie_policy,
        funnel_events.event_number,
        funnel_events.stage_position,
        funnel_events.meets_several,
        funnel_events.entered_at,
    from {{ ref('int_funnel_events') }} as funnel_events
    inner join funnels
        on funnel_events.funnel_id = funnels.funnel_id
    where
        funnel_events.stage_position is not null
        and funnel_events.entered_at is not null
        and (funnels.hold_constant is null or funnel_events.held_value is not null)
),

-- Between two excluding events the entries of a stage are alike: the earliest is as good as any.
entries as (
    select
        ladder_entries.entry_id,
        ladder_entries.funnel_id,
        ladder_entries.subject_key,
        ladder_entries.chain_key,
        ladder_entries.tie_policy,
        ladder_entries.event_number,
        ladder_entries.stage_position,
        ladder_entries.meets_several,
        ladder_entries.entered_at,
        coalesce(excluding_events.event_number, 0) as lane,
        row_number() over (
            partition by
                ladder_entries.chain_key,
                ladder_entries.stage_position,
                coalesce(excluding_events.event_number, 0)
            order by ladder_entries.event_number
        ) as lane_entry_number,
    from ladder_entries
    asof left join excluding_events
        on
            ladder_entries.subject_key = excluding_events.subject_key
            and ladder_entries.stage_position = excluding_events.stage_position
            and ladder_entries.event_number >= excluding_events.event_number
),

stage_lanes as (
    select distinct
        funnel_id,
        chain_key,
        stage_position,
        lane,
    from entries
),

-- A record is closed by any entry of a won stage; for all others a win is one of the chain. What
-- could serve a stage of the ladder is no loss.
closing_events as (
    select
        funnel_events.funnel_id,
        funnel_events.subject_key,
        funnel_events.event_number,
    from {{ ref('int_funnel_events') }} as funnel_events
    inner join funnels
        on funnel_events.funnel_id = funnels.funnel_id
    where
        funnel_events.entered_at is not null
        and (
            (
                funnel_events.stage_kind = 'lost'
                and funnel_events.lowest_stage_position is null
            )
            or (
                funnel_events.stage_kind = 'won'
                and funnels.subject_type in ('lead', 'opportunity')
            )
        )
),

-- One row per event from which a window may be counted.
anchors as (
    select
        entries.entry_id as start_entry_id,
        entries.funnel_id,
        entries.subject_key,
        entries.chain_key,
        entries.tie_policy,
        entries.event_number as start_event_number,
        entries.stage_position,
        entries.entered_at,
        funnels.count_by,
        {{ hours_after('entries.entered_at', 'funnels.window_hours') }} as window_ends_at,
    from entries
    inner join funnels
        on entries.funnel_id = funnels.funnel_id
    qualify
        row_number() over (
            partition by entries.subject_key, entries.event_number
            order by entries.stage_position
        ) = 1
),

anchors_with_closing as (
    select
        anchors.*,
        closing_events.event_number as closing_event_number,
        -- Of entries alike in instant and stage, `funnel_order` knows no first.
        case anchors.tie_policy
            when 'funnel_order'
                then min(anchors.start_event_number) over (
                    partition by
                        anchors.subject_key,
                        anchors.entered_at,
                        anchors.stage_position
                )
            else anchors.start_event_number
        end as first_alike_number,
    from anchors
    asof left join closing_events
        on
            anchors.subject_key = closing_events.subject_key
            and anchors.start_event_number <= closing_events.event_number
),

first_stage_anchors as (
    select
        funnel_id,
        subject_key,
        start_event_number,
    from anchors
    where stage_position = 1
),

limited_anchors as (
    select
        anchors_with_closing.start_entry_id,
        anchors_with_closing.funnel_id,
        anchors_with_closing.subject_key,
        anchors_with_closing.chain_key,
        anchors_with_closing.start_event_number,
        anchors_with_closing.first_alike_number,
        anchors_with_closing.window_ends_at,
        case when anchors_with_closing.count_by = 'journey' then reopening.start_event_number end
            as reopened_event_number,
    from anchors_with_closing
    asof left join first_stage_anchors as reopening
        on
            anchors_with_closing.subject_key = reopening.subject_key
            -- DuckDB's as-of join takes a null for less than all.
            and coalesce(anchors_with_closing.closing_event_number, 9223372036854775807)
            < reopening.start_event_number
),

first_candidates as (
    select
        limited_anchors.*,
        stage_lanes.stage_position,
        stage_lanes.lane,
        entries.lane_entry_number,
        entries.meets_several,
    from limited_anchors
    inner join stage_lanes
        on limited_anchors.chain_key = stage_lanes.chain_key
    asof join entries
        on
            limited_anchors.chain_key = entries.chain_key
            and stage_lanes.stage_position = entries.stage_position
            and stage_lanes.lane = entries.lane
            and limited_anchors.start_event_number <= entries.event_number
),

stages_of_funnel as (
    select
        funnel_id,
        count(*) as stages,
    from ladder_stages
    group by all
)

-- The earliest entry of a stage is as good as any, unless its event could serve another stage too:
-- then as many are looked at as there are stages that could take one.
select
    first_candidates.start_entry_id,
    first_candidates.start_event_number,
    first_candidates.first_alike_number,
    first_candidates.funnel_id,
    first_candidates.subject_key,
    first_candidates.window_ends_at,
    first_candidates.stage_position,
    entries.event_number,
    entries.meets_several,
from first_candidates
inner join stages_of_funnel
    on first_candidates.funnel_id = stages_of_funnel.funnel_id
inner join entries
    on
        first_candidates.chain_key = entries.chain_key
        and first_candidates.stage_position = entries.stage_position
        and first_candidates.lane = entries.lane
        and entries.lane_entry_number between first_candidates.lane_entry_number
        and first_candidates.lane_entry_number
        + case when first_candidates.meets_several then stages_of_funnel.stages else 0 end
where
    (
        first_candidates.window_ends_at is null
        or entries.entered_at <= first_candidates.window_ends_at
    )
    and (
        first_candidates.reopened_event_number is null
        or entries.event_number < first_candidates.reopened_event_number
    )
