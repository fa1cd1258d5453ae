with

run as (
    select
        as_of,
        reporting_currency,
    from {{ ref('int_run') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('funnel_stages') }}
),

tied_subjects as (
    select
        funnel_id,
        subject_id,
        journeys_hang_on_tie or visits_hang_on_tie as result_hangs_on_tie,
    from {{ ref('int_tied_subjects') }}
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

priced_journeys as (
    select
        journeys.*,
        -- The as-of is the first instant that is not known; the day before it still is.
        coalesce(
            {{ reporting_date('journeys.ended_at') }},
            {{ reporting_date('run.as_of - interval 1 microsecond') }}
        ) as rate_date,
        run.reporting_currency,
        run.as_of,
    from {{ ref('int_priced_journeys') }} as journeys
    cross join run
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
    coalesce(tied_subjects.result_hangs_on_tie, false) as result_hangs_on_tie,
    {{ reporting_date('rated_journeys.entered_at') }} as entered_date,
    rated_journeys.entered_at,
    rated_journeys.ended_at,
    rated_journeys.seconds_to_outcome,
    {{ decimal_seconds(
        business_microseconds('rated_journeys.ended_at', 'end_dates') ~ ' - '
        ~ business_microseconds('rated_journeys.entered_at', 'entry_dates')
    ) }} as business_seconds_to_outcome,
    {{ in_reporting_currency('rated_journeys.source_amount', 'rated_journeys.rate') }} as amount,
from rated_journeys
inner join funnel_stages as furthest_stages
    on
        rated_journeys.funnel_id = furthest_stages.funnel_id
        and rated_journeys.furthest_stage_position = furthest_stages.stage_position
left join maturities
    on rated_journeys.funnel_id = maturities.funnel_id
left join tied_subjects
    on
        rated_journeys.funnel_id = tied_subjects.funnel_id
        and rated_journeys.subject_id = tied_subjects.subject_id
left join calendar_dates as entry_dates
    on {{ reporting_date('rated_journeys.entered_at') }} = entry_dates.calendar_date
left join calendar_dates as end_dates
    on {{ reporting_date('rated_journeys.ended_at') }} = end_dates.calendar_date
