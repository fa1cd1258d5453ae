with

run as (
    select as_of from {{ ref('int_run') }}
),

attribution_settings as (
    select
        attribution_id,
        funnel_id,
        cast(lookback_days as bigint) * 86400 as lookback_seconds,
        touches_of,
    from {{ ref('attribution_settings') }}
),

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('dim_funnels') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
        is_mature,
        entered_at,
        ended_at,
        amount,
    from {{ ref('fct_journeys') }}
),

subject_persons as (
    select
        subject_type,
        subject_id,
        person_id,
        account_id,
    from {{ ref('int_subject_persons') }}
),

-- Who is still under way has neither converted nor failed to.
judged_journeys as (
    select
        attribution_settings.attribution_id,
        attribution_settings.funnel_id,
        attribution_settings.lookback_seconds,
        attribution_settings.touches_of,
        funnels.subject_type,
        journeys.subject_id,
        journeys.journey_number,
        journeys.outcome = 'won' as is_conversion,
        case
            when journeys.outcome != 'open' then journeys.ended_at
            else
                least(
                    {{ seconds_later(
                        'journeys.entered_at', 'attribution_settings.lookback_seconds'
                    ) }},
                    -- The as-of is the first instant that is not known.
                    run.as_of - interval 1 microsecond
                )
        end as path_ended_at,
        case when journeys.outcome = 'won' then journeys.amount end as amount,
    from attribution_settings
    inner join funnels
        on attribution_settings.funnel_id = funnels.funnel_id
    inner join journeys
        on attribution_settings.funnel_id = journeys.funnel_id
    cross join run
    where
        journeys.outcome = 'won'
        or (journeys.outcome in ('lost', 'abandoned') and journeys.ended_at is not null)
        or (journeys.outcome = 'open' and journeys.is_mature and journeys.entered_at is not null)
)

select
    judged_journeys.attribution_id,
    judged_journeys.funnel_id,
    judged_journeys.subject_id,
    judged_journeys.journey_number,
    case
        when
            subject_persons.account_id is not null
            and (
                judged_journeys.touches_of = 'account' or judged_journeys.subject_type = 'account'
            )
            then 'account:' || subject_persons.account_id
        else 'person:' || subject_persons.person_id
    end as party_id,
    judged_journeys.is_conversion,
    {{ cohort_date('month', reporting_date('judged_journeys.path_ended_at')) }} as month_date,
    {{ seconds_later(
        'judged_journeys.path_ended_at', '-judged_journeys.lookback_seconds'
    ) }} as path_begins_at,
    judged_journeys.path_ended_at,
    judged_journeys.amount,
from judged_journeys
left join subject_persons
    on
        judged_journeys.subject_type = subject_persons.subject_type
        and judged_journeys.subject_id = subject_persons.subject_id
