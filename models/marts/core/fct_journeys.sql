with

run as (
    select
        as_of,
        reporting_currency,
    from {{ ref('int_run') }}
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
        journeys.subject_id,
        journeys.journey_number,
        journeys.start_event_number,
        funnels.order_mode,
        funnels.subject_type in ('lead', 'opportunity') as is_record,
        funnels.window_hours,
    from {{ ref('int_journeys') }} as journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
),

first_events as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        served_events.stage_id as entry_stage_id,
        served_events.held_value,
        served_events.entered_at,
    from journeys
    inner join {{ ref('int_served_events') }} as served_events
        on
            journeys.funnel_id = served_events.funnel_id
            and journeys.subject_id = served_events.subject_id
            and journeys.start_event_number = served_events.event_number
),

stage_visits as (
    select
        funnel_id,
        subject_id,
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
        subject_id,
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

evidence_amounts as (
    select
        file_number,
        source_row,
        amount,
        currency,
        loss_reason,
    from {{ ref('int_evidence_amounts') }}
),

record_amounts as (
    select
        record_id,
        amount,
        currency,
        loss_reason,
    from {{ ref('int_surviving_records') }}
),

exchange_rates as (
    select
        currency,
        valid_from,
        rate,
    from {{ ref('exchange_rates') }}
),

calendar_dates as (
    select
        calendar_date,
        is_working_day,
        opens_at,
        business_microseconds,
        business_microseconds_before,
    from {{ ref('int_calendar_dates') }}
),

-- What the visits of a journey say of its outcome, whether its chain counts them or not.
closings as (
    select
        funnel_id,
        subject_id,
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
        journey_entries.funnel_id,
        journey_entries.subject_id,
        journey_entries.journey_number,
        max(journey_entries.stage_position) as furthest_position,
        max(journey_entries.stage_position) filter (where journey_entries.stage_kind = 'open')
            as furthest_open_position,
        -- Where the order does not count, the lowest won stage is the first that can be complete.
        min_by(
            journey_entries.event_number,
            case
                when funnels.order_mode = 'any' then journey_entries.stage_position
                else journey_entries.event_number
            end
        ) filter (where journey_entries.stage_kind = 'won') as won_number,
    from journey_entries
    inner join funnels
        on journey_entries.funnel_id = funnels.funnel_id
    group by all
),

wins as (
    select
        journey_entries.funnel_id,
        journey_entries.subject_id,
        journey_entries.journey_number,
        journey_entries.record_id,
        journey_entries.file_number,
        journey_entries.source_row,
        journey_entries.stage_position,
        journey_entries.entered_at as won_at,
    from journey_entries
    inner join entries_by_journey
        on
            journey_entries.funnel_id = entries_by_journey.funnel_id
            and journey_entries.subject_id = entries_by_journey.subject_id
            and journey_entries.journey_number = entries_by_journey.journey_number
            and journey_entries.event_number = entries_by_journey.won_number
            and journey_entries.stage_kind = 'won'
),

win_instants as (
    select
        wins.funnel_id,
        wins.subject_id,
        wins.journey_number,
        -- Of stages in any order, the win is there when the last required one up to it is.
        max(journey_entries.entered_at) as completed_at,
    from wins
    inner join journey_entries
        on
            wins.funnel_id = journey_entries.funnel_id
            and wins.subject_id = journey_entries.subject_id
            and wins.journey_number = journey_entries.journey_number
            and wins.stage_position >= journey_entries.stage_position
    inner join funnel_stages
        on
            journey_entries.funnel_id = funnel_stages.funnel_id
            and journey_entries.stage_position = funnel_stages.stage_position
    where
        not funnel_stages.is_optional
        or journey_entries.stage_position = wins.stage_position
    group by all
),

outcomes as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        journeys.is_record,
        first_events.entry_stage_id,
        first_events.held_value,
        first_events.entered_at,
        {{ hours_after('first_events.entered_at', 'journeys.window_hours') }} as window_ends_at,
        entries_by_journey.furthest_position,
        entries_by_journey.furthest_open_position,
        wins.record_id as won_record_id,
        wins.file_number as won_file_number,
        wins.source_row as won_source_row,
        lost_visits.file_number as lost_file_number,
        lost_visits.source_row as lost_source_row,
        case
            when journeys.order_mode = 'any' then win_instants.completed_at
            else wins.won_at
        end as won_at,
        lost_visits.entered_at as lost_at,
        closed_visits.entered_at as last_closed_at,
        case
            when journeys.is_record then closings.has_won_visit
            else wins.funnel_id is not null
        end as was_won,
        case
            when journeys.is_record
                then case
                    when closings.last_closed_number is null then 'open'
                    when closings.last_open_number > closings.last_closed_number then 'open'
                    else closed_visits.stage_kind
                end
            when wins.funnel_id is not null then 'won'
            when
                lost_visits.entered_at is not null
                and (
                    journeys.window_hours is null
                    or lost_visits.entered_at
                    <= {{ hours_after('first_events.entered_at', 'journeys.window_hours') }}
                )
                then 'lost'
            when
                {{ hours_after('first_events.entered_at', 'journeys.window_hours') }} < run.as_of
                then 'abandoned'
            else 'open'
        end as outcome,
    from journeys
    cross join run
    inner join first_events
        on
            journeys.funnel_id = first_events.funnel_id
            and journeys.subject_id = first_events.subject_id
            and journeys.journey_number = first_events.journey_number
    left join closings
        on
            journeys.funnel_id = closings.funnel_id
            and journeys.subject_id = closings.subject_id
            and journeys.journey_number = closings.journey_number
    left join stage_visits as closed_visits
        on
            closings.funnel_id = closed_visits.funnel_id
            and closings.subject_id = closed_visits.subject_id
            and closings.last_closed_number = closed_visits.visit_number
    left join stage_visits as lost_visits
        on
            closings.funnel_id = lost_visits.funnel_id
            and closings.subject_id = lost_visits.subject_id
            and closings.first_lost_number = lost_visits.visit_number
    left join entries_by_journey
        on
            journeys.funnel_id = entries_by_journey.funnel_id
            and journeys.subject_id = entries_by_journey.subject_id
            and journeys.journey_number = entries_by_journey.journey_number
    left join wins
        on
            journeys.funnel_id = wins.funnel_id
            and journeys.subject_id = wins.subject_id
            and journeys.journey_number = wins.journey_number
    left join win_instants
        on
            journeys.funnel_id = win_instants.funnel_id
            and journeys.subject_id = win_instants.subject_id
            and journeys.journey_number = win_instants.journey_number
),

ended_journeys as (
    select
        outcomes.*,
        case when outcomes.is_record then outcomes.subject_id end as own_record_id,
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
),

priced_journeys as (
    select
        ended_journeys.*,
        case
            when ended_journeys.is_record then subject_records.amount
            when ended_journeys.outcome != 'won' then null
            when ended_journeys.won_record_id is not null then winning_records.amount
            else winning_evidence.amount
        end as source_amount,
        case
            when ended_journeys.is_record then subject_records.currency
            when ended_journeys.won_record_id is not null then winning_records.currency
            else winning_evidence.currency
        end as source_currency,
        case ended_journeys.outcome
            when 'lost'
                then case
                    when ended_journeys.is_record then subject_records.loss_reason
                    else losing_evidence.loss_reason
                end
        end as loss_reason,
        -- The as-of is the first instant that is not known; the day before it still is.
        coalesce(
            {{ reporting_date('ended_journeys.ended_at') }},
            {{ reporting_date('run.as_of - interval 1 microsecond') }}
        ) as rate_date,
        run.reporting_currency,
        run.as_of,
    from ended_journeys
    cross join run
    left join record_amounts as subject_records
        on ended_journeys.own_record_id = subject_records.record_id
    left join record_amounts as winning_records
        on ended_journeys.won_record_id = winning_records.record_id
    left join evidence_amounts as winning_evidence
        on
            ended_journeys.won_file_number = winning_evidence.file_number
            and ended_journeys.won_source_row = winning_evidence.source_row
    left join evidence_amounts as losing_evidence
        on
            ended_journeys.lost_file_number = losing_evidence.file_number
            and ended_journeys.lost_source_row = losing_evidence.source_row
),

rated_journeys as (
    select
        priced_journeys.*,
        case
            when
                coalesce(priced_journeys.source_currency, priced_journeys.reporting_currency)
                = priced_journeys.reporting_currency
                then 1
            else exchange_rates.rate
        end as rate,
        {{ seconds_between('priced_journeys.entered_at', 'priced_journeys.ended_at') }}
            as seconds_to_outcome,
    from priced_journeys
    asof left join exchange_rates
        on
            priced_journeys.source_currency = exchange_rates.currency
            and priced_journeys.rate_date >= exchange_rates.valid_from
),

-- Without a window, a journey is old enough to judge when nine in ten of the won ones had been won.
maturities as (
    select
        funnel_id,
        percentile_cont(0.9) within group (order by seconds_to_outcome) as seconds_to_maturity,
    from rated_journeys
    where outcome = 'won'
    group by all
)

select
    rated_journeys.funnel_id,
    rated_journeys.subject_id,
    rated_journeys.journey_number,
    rated_journeys.entry_stage_id,
    furthest_stages.stage_id as furthest_stage_id,
    rated_journeys.furthest_stage_position,
    rated_journeys.held_value,
    rated_journeys.outcome,
    rated_journeys.loss_reason,
    rated_journeys.was_won,
    coalesce(
        case
            when rated_journeys.window_ends_at is not null
                then rated_journeys.window_ends_at < rated_journeys.as_of
            else
                {{ seconds_between('rated_journeys.entered_at', 'rated_journeys.as_of') }}
                > maturities.seconds_to_maturity
        end,
        false
    ) as is_mature,
    {{ reporting_date('rated_journeys.entered_at') }} as entered_date,
    rated_journeys.entered_at,
    rated_journeys.ended_at,
    rated_journeys.seconds_to_outcome,
    {{ decimal_seconds(
        business_microseconds('rated_journeys.ended_at', 'end_dates') ~ ' - '
        ~ business_microseconds('rated_journeys.entered_at', 'entry_dates')
    ) }} as business_seconds_to_outcome,
    cast(rated_journeys.source_amount * rated_journeys.rate as decimal(18, 4)) as amount,
from rated_journeys
inner join funnel_stages as furthest_stages
    on
        rated_journeys.funnel_id = furthest_stages.funnel_id
        and rated_journeys.furthest_stage_position = furthest_stages.stage_position
left join maturities
    on rated_journeys.funnel_id = maturities.funnel_id
left join calendar_dates as entry_dates
    on {{ reporting_date('rated_journeys.entered_at') }} = entry_dates.calendar_date
left join calendar_dates as end_dates
    on {{ reporting_date('rated_journeys.ended_at') }} = end_dates.calendar_date
