with

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
    where {{ is_of_deals() }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        entry_stage_id,
        furthest_stage_id,
        furthest_stage_position,
        outcome,
        was_won,
        loss_reason,
        is_mature,
        entered_date,
        entered_at,
        ended_at,
        seconds_to_outcome,
        amount,
    from {{ ref('fct_journeys') }}
),

last_visits as (
    select
        funnel_id,
        subject_id,
        journey_number,
        stage_id,
        stage_position,
        entered_at,
    from {{ ref('fct_stage_visits') }}
    qualify row_number() over (
        partition by funnel_id, subject_id, journey_number
        order by visit_number desc
    ) = 1
),

records as (
    select
        record_id,
        owner_id,
        account_id,
        currency,
        expected_close_date,
        created_at,
        amount,
    from {{ ref('int_surviving_records') }}
),

owners as (
    select
        owner_id,
        team,
        region as branch,
    from {{ ref('stg_owners') }}
),

deal_size_bands as (
    select
        funnel_id,
        band_name,
        amount_from,
        amount_below,
    from {{ ref('deal_size_bands') }}
)

select
    journeys.funnel_id,
    journeys.subject_id as deal_id,
    journeys.journey_number,
    records.owner_id,
    owners.team,
    owners.branch,
    records.account_id,
    journeys.entry_stage_id,
    last_visits.stage_id,
    last_visits.stage_position,
    journeys.furthest_stage_id,
    journeys.furthest_stage_position,
    journeys.outcome,
    journeys.was_won,
    journeys.loss_reason,
    journeys.is_mature,
    records.expected_close_date,
    journeys.entered_date,
    {{ reporting_date('journeys.ended_at') }} as ended_date,
    records.created_at,
    journeys.entered_at,
    last_visits.entered_at as stage_entered_at,
    journeys.ended_at,
    journeys.seconds_to_outcome,
    records.amount as source_amount,
    records.currency as source_currency,
    journeys.amount,
    case
        when records.amount is null then 'no amount'
        when journeys.amount is null then 'unknown currency'
    end as amount_unknown_for,
    deal_size_bands.band_name as deal_size_band,
from journeys
inner join funnels
    on journeys.funnel_id = funnels.funnel_id
inner join records
    on journeys.subject_id = records.record_id
left join last_visits
    on
        journeys.funnel_id = last_visits.funnel_id
        and journeys.subject_id = last_visits.subject_id
        and journeys.journey_number = last_visits.journey_number
left join owners
    on records.owner_id = owners.owner_id
left join deal_size_bands
    on
        journeys.funnel_id = deal_size_bands.funnel_id
        and {{ is_in_size_band('journeys.amount', 'deal_size_bands') }}
