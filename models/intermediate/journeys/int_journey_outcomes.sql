with

run as (
    select as_of from {{ ref('int_run') }}
),

funnels as (
    select
        funnel_id,
        subject_type,
        order_mode,
        window_hours,
    from {{ ref('funnels') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
        is_optional,
    from {{ ref('funnel_stages') }}
),

journeys as (
    select
        journeys.funnel_id,
        journeys.subject_key,
        journeys.journey_number,
        journeys.entry_stage_id,
        journeys.held_value,
        journeys.entered_at,
        funnels.subject_type in ('lead', 'opportunity') as is_record,
        funnels.window_hours,
    from {{ ref('int_journey_starts') }} as journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
),

stage_visits as (
    select
        subject_key,
        visit_number,
        journey_number,
        stage_kind,
        file_number,
        source_row,
        entered_at,
    from {{ ref('int_stage_visits') }}
    where journey_number > 0
),

journey_entries as (
    select
        funnel_id,
        subject_key,
        journey_number,
        event_number,
        stage_id,
        stage_position,
        stage_kind,
        record_id,
        file_number,
        source_row,
        entered_at,
    from {{ ref('int_journey_entries') }}
),

-- What the visits of a journey say of its outcome, whether its chain counts them or not.
closings as (
    select
        subject_key,
        journey_number,
        max(case when stage_kind = 'open' then visit_number end) as last_open_number,
        max(case when stage_kind != 'open' then visit_number end) as last_closed_number,
        min(case when stage_kind = 'lost' then visit_number end) as first_lost_number,
        bool_or(stage_kind = 'won') as has_won_visit,
    from stage_visits
    group by all
),

entries_by_journey as (
    select
        subject_key,
        journey_number,
        max(stage_position) as furthest_position,
        max(stage_position) filter (where stage_kind = 'open') as furthest_open_position,
    from journey_entries
    group by all
),

won_entries as (
    select
        journey_entries.subject_key,
        journey_entries.journey_number,
        journey_entries.event_number,
        journey_entries.stage_position,
        journey_entries.record_id,
        journey_entries.file_number,
        journey_entries.source_row,
        journey_entries.entered_at,
        funnels.order_mode,
    from journey_entries
    inner join funnels
        on journey_entries.funnel_id = funnels.funnel_id
    where journey_entries.stage_kind = 'won'
),

-- Of stages in any order, a win is there when the last required one up to it is.
completions as (
    select
        won_entries.subject_key,
        won_entries.journey_number,
        won_entries.stage_position,
        max(journey_entries.entered_at) as completed_at,
    from won_entries
    inner join journey_entries
        on
            won_entries.subject_key = journey_entries.subject_key
            and won_entries.journey_number = journey_entries.journey_number
            and won_entries.stage_position >= journey_entries.stage_position
    inner join funnel_stages
        on
            journey_entries.funnel_id = funnel_stages.funnel_id
            and journey_entries.stage_position = funnel_stages.stage_position
    where
        won_entries.order_mode = 'any'
        and (
            not funnel_stages.is_optional
            or journey_entries.stage_position = won_entries.stage_position
        )
    group by all
),

-- The first win is final.
wins as (
    select
        won_entries.subject_key,
        won_entries.journey_number,
        won_entries.record_id,
        won_entries.file_number,
        won_entries.source_row,
        coalesce(completions.completed_at, won_entries.entered_at) as won_at,
    from won_entries
    left join completions
        on
            won_entries.subject_key = completions.subject_key
            and won_entries.journey_number = completions.journey_number
            and won_entries.stage_position = completions.stage_position
    qualify
        row_number() over (
            partition by
                won_entries.subject_key, won_entries.journey_number
            order by
                completions.completed_at nulls last,
                case
                    when won_entries.order_mode = 'any' then won_entries.stage_position
                    else won_entries.event_number
                end
        ) = 1
),

outcomes as (
    select
        journeys.funnel_id,
        journeys.subject_key,
        journeys.journey_number,
        journeys.is_record,
        journeys.entry_stage_id,
        journeys.held_value,
        journeys.entered_at,
        {{ hours_after('journeys.entered_at', 'journeys.window_hours') }} as window_ends_at,
        entries_by_journey.furthest_position,
        entries_by_journey.furthest_open_position,
        wins.record_id as won_record_id,
        wins.file_number as won_file_number,
        wins.source_row as won_source_row,
        lost_visits.file_number as lost_file_number,
        lost_visits.source_row as lost_source_row,
        wins.won_at,
        lost_visits.entered_at as lost_at,
        closed_visits.entered_at as last_closed_at,
        case
            when journeys.is_record then closings.has_won_visit
            else wins.subject_key is not null
        end as was_won,
        case
            when journeys.is_record
                then case
                    when closings.last_closed_number is null then 'open'
                    when closings.last_open_number > closings.last_closed_number then 'open'
                    else closed_visits.stage_kind
                end
            when wins.subject_key is not null then 'won'
            when
                lost_visits.visit_number is not null
                and (
                    journeys.window_hours is null
                    or lost_visits.entered_at is null
                    or lost_visits.entered_at
                    <= {{ hours_after('journeys.entered_at', 'journeys.window_hours') }}
                )
                then 'lost'
            when
                {{ hours_after('journeys.entered_at', 'journeys.window_hours') }} < run.as_of
                then 'abandoned'
            else 'open'
        end as outcome,
    from journeys
    cross join run
    left join closings
        on
            journeys.subject_key = closings.subject_key
            and journeys.journey_number = closings.journey_number
    left join stage_visits as closed_visits
        on
            closings.subject_key = closed_visits.subject_key
            and closings.last_closed_number = closed_visits.visit_number
    left join stage_visits as lost_visits
        on
            closings.subject_key = lost_visits.subject_key
            and closings.first_lost_number = lost_visits.visit_number
    left join entries_by_journey
        on
            journeys.subject_key = entries_by_journey.subject_key
            and journeys.journey_number = entries_by_journey.journey_number
    left join wins
        on
            journeys.subject_key = wins.subject_key
            and journeys.journey_number = wins.journey_number
),

ended_journeys as (
    select
        outcomes.*,
        case
            when outcomes.outcome = 'open' then cast(null as timestamp)
            when outcomes.is_record then outcomes.last_closed_at
            when outcomes.outcome = 'won' then outcomes.won_at
            when outcomes.outcome = 'lost' then outcomes.lost_at
            else outcomes.window_ends_at
        end as ended_at,
        -- A deal may be lost from nowhere; it had reached the first stage all the same.
        coalesce(
            case
                when outcomes.outcome = 'won' then outcomes.furthest_position
                else outcomes.furthest_open_position
            end,
            1
        ) as furthest_stage_position,
    from outcomes
)

select
    funnel_id,
    subject_key,
    journey_number,
    is_record,
    entry_stage_id,
    held_value,
    furthest_stage_position,
    outcome,
    was_won,
    won_record_id,
    won_file_number,
    won_source_row,
    lost_file_number,
    lost_source_row,
    entered_at,
    window_ends_at,
    ended_at,
from ended_journeys
