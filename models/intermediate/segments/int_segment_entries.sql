with

segments as (
    select
        funnel_id,
        taken_at,
        stage_id,
    from {{ ref('dim_segments') }}
),

journeys as (
    select
        funnel_id,
        subject_key,
        journey_number,
        start_event_number,
        entry_event_number,
        record_id,
        file_number,
        source_row,
        entered_at,
    from {{ ref('int_journey_starts') }}
    where not {{ is_other_order('subject_key') }}
),

funnels_by_entry as (
    select distinct funnel_id,
    from segments
    where taken_at = 'entry'
),

-- Only these need to know more of a journey than how it began.
funnels_by_more as (
    select distinct funnel_id,
    from segments
    where taken_at != 'entry'
),

funnels_by_all_entries as (
    select distinct funnel_id,
    from segments
    where taken_at in ('first', 'last', 'each')
),

named_stages as (
    select distinct
        funnel_id,
        stage_id,
    from segments
    where taken_at = 'stage'
),

followed_journeys as (
    select
        journeys.funnel_id,
        journeys.subject_key,
        journeys.journey_number,
        journeys.start_event_number,
        lead(journeys.entered_at) over (
            partition by journeys.subject_key
            order by journeys.journey_number
        ) as next_entered_at,
    from journeys
    inner join funnels_by_more
        on journeys.funnel_id = funnels_by_more.funnel_id
),

entries_of_journeys as (
    select
        served_events.funnel_id,
        served_events.subject_key,
        followed_journeys.journey_number,
        served_events.event_number,
        served_events.stage_id,
        case served_events.tie_policy
            when 'funnel_order' then coalesce(served_events.stage_position, 33)
            else 0
        end as tie_position,
        served_events.record_id,
        served_events.file_number,
        served_events.source_row,
        served_events.entered_at,
        followed_journeys.next_entered_at,
    from {{ ref('int_served_events') }} as served_events
    inner join funnels_by_more
        on served_events.funnel_id = funnels_by_more.funnel_id
    asof join followed_journeys
        on
            served_events.subject_key = followed_journeys.subject_key
            and served_events.event_number >= followed_journeys.start_event_number
),

first_entries_of_stages as (
    select entries_of_journeys.*,
    from entries_of_journeys
    inner join named_stages
        on
            entries_of_journeys.funnel_id = named_stages.funnel_id
            and entries_of_journeys.stage_id = named_stages.stage_id
    qualify
        row_number() over (
            partition by
                entries_of_journeys.subject_key,
                entries_of_journeys.journey_number,
                entries_of_journeys.stage_id
            order by entries_of_journeys.event_number
        ) = 1
)

select
    journeys.funnel_id,
    journeys.subject_key,
    journeys.journey_number,
    'entry' as needed_for,
    cast(null as varchar) as stage_id,
    journeys.entry_event_number as event_number,
    0 as tie_position,
    journeys.record_id,
    journeys.file_number,
    journeys.source_row,
    journeys.entered_at,
    cast(null as timestamp) as next_entered_at,
from journeys
inner join funnels_by_entry
    on journeys.funnel_id = funnels_by_entry.funnel_id

union all

select
    funnel_id,
    subject_key,
    journey_number,
    'stage' as needed_for,
    stage_id,
    event_number,
    tie_position,
    record_id,
    file_number,
    source_row,
    entered_at,
    next_entered_at,
from first_entries_of_stages

union all

select
    entries_of_journeys.funnel_id,
    entries_of_journeys.subject_key,
    entries_of_journeys.journey_number,
    'journey' as needed_for,
    cast(null as varchar) as stage_id,
    entries_of_journeys.event_number,
    entries_of_journeys.tie_position,
    entries_of_journeys.record_id,
    entries_of_journeys.file_number,
    entries_of_journeys.source_row,
    entries_of_journeys.entered_at,
    entries_of_journeys.next_entered_at,
from entries_of_journeys
inner join funnels_by_all_entries
    on entries_of_journeys.funnel_id = funnels_by_all_entries.funnel_id
