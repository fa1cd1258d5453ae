with

acquisition_settings as (
    select funnel_id,
    from {{ ref('acquisition_settings') }}
),

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('dim_funnels') }}
),

-- Who comes again was won once.
journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
        is_mature,
        entered_date,
        entered_at,
        amount,
    from {{ ref('fct_journeys') }}
    where journey_number = 1
),

subject_persons as (
    select
        subject_type,
        subject_id,
        person_id,
    from {{ ref('int_subject_persons') }}
),

touchpoints as (
    select
        person_id,
        channel,
        touched_at,
    from {{ ref('int_touchpoints') }}
),

first_touches as (
    select
        person_id,
        channel,
        touched_at,
    from touchpoints
    qualify row_number() over (partition by person_id order by touched_at, channel) = 1
)

select
    journeys.funnel_id,
    journeys.subject_id,
    journeys.journey_number,
    subject_persons.person_id,
    case
        when first_touches.touched_at <= journeys.entered_at then first_touches.channel
        else '(no touchpoint)'
    end as channel,
    journeys.is_mature,
    journeys.entered_date as acquired_date,
    journeys.entered_at as acquired_at,
    journeys.outcome = 'won' as is_won,
    case when journeys.outcome = 'won' then journeys.amount end as amount,
from acquisition_settings
inner join funnels
    on acquisition_settings.funnel_id = funnels.funnel_id
inner join journeys
    on acquisition_settings.funnel_id = journeys.funnel_id
left join subject_persons
    on
        funnels.subject_type = subject_persons.subject_type
        and journeys.subject_id = subject_persons.subject_id
left join first_touches
    on subject_persons.person_id = first_touches.person_id
