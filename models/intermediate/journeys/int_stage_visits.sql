with

funnels as (
    select
        funnel_id,
        collapse_repeats,
    from {{ ref('funnels') }}
),

served_events as (
    select
        funnel_id,
        subject_key,
        event_number,
        stage_id,
        stage_position,
        stage_kind,
        evidence,
        file_number,
        source_row,
        tie_policy,
        entered_at,
    from {{ ref('int_served_events') }}
),

journeys as (
    select
        subject_key,
        journey_number,
        start_event_number,
    from {{ ref('int_journeys') }}
),

entries as (
    select
        served_events.subject_key,
        served_events.event_number,
        coalesce(journeys.journey_number, 0) as journey_number,
        served_events.stage_id,
        served_events.stage_position,
        served_events.stage_kind,
        served_events.evidence,
        served_events.file_number,
        served_events.source_row,
        funnels.collapse_repeats,
        case served_events.tie_policy
            when 'funnel_order' then coalesce(served_events.stage_position, 33)
            else 0
        end as tie_position,
        served_events.entered_at,
    from served_events
    inner join funnels
        on served_events.funnel_id = funnels.funnel_id
    asof left join journeys
        on
            served_events.subject_key = journeys.subject_key
            and served_events.event_number >= journeys.start_event_number
),

entries_with_previous as (
    select
        entries.*,
        lag(entries.stage_id) over by_subject as previous_stage_id,
        lag(entries.journey_number) over by_subject as previous_journey_number,
    from entries
    window by_subject as (
        partition by entries.subject_key
        order by entries.entered_at nulls last, entries.tie_position, entries.event_number
    )
),

numbered_entries as (
    select
        *,
        count(
            case
                when
                    not collapse_repeats
                    or previous_stage_id is null
                    or previous_stage_id != stage_id
                    -- A journey after another begins with a visit of its own.
                    or (previous_journey_number > 0 and previous_journey_number != journey_number)
                    then 1
            end
        ) over (
            partition by subject_key
            order by entered_at nulls last, tie_position, event_number
            rows between unbounded preceding and current row
        ) as visit_number,
    from entries_with_previous
)

select
    subject_key,
    cast(visit_number as integer) as visit_number,
    max(journey_number) as journey_number,
    min(stage_id) as stage_id,
    min(stage_position) as stage_position,
    min(stage_kind) as stage_kind,
    min_by(evidence, event_number) as evidence,
    min_by(file_number, event_number) as file_number,
    min_by(source_row, event_number) as source_row,
    min(entered_at) as entered_at,
    cast(count(*) as integer) as entries,
from numbered_entries
group by subject_key, visit_number
