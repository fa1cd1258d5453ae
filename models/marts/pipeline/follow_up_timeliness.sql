with

run as (
    select as_of from {{ ref('int_run') }}
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

follow_ups as (
    select
        follow_ups.funnel_id,
        follow_ups.subject_id,
        follow_ups.journey_number,
        follow_ups.owner_id,
        follow_ups.intent,
        follow_ups.outcome,
        follow_ups.entered_at,
        follow_ups.follow_up_from,
        follow_ups.ended_at,
        follow_ups.first_contact_due_at,
        follow_ups.first_contact_hours,
        follow_ups.contacts_from,
        follow_ups.contacts_to,
        follow_ups.contacts_per,
        coalesce(follow_ups.ended_at, run.as_of) as followed_until,
        run.as_of,
        -- A month is a twelfth of 365.25 days.
        case follow_ups.contacts_per
            when 'week' then 604800000000
            when 'month' then 2629800000000
        end as period_microseconds,
    from {{ ref('int_follow_ups') }} as follow_ups
    cross join run
),

agreed_channels as (
    select
        intent,
        {{ exploded(split_text('channels', ';')) }} as activity_type,
    from {{ ref('follow_up_agreement') }}
    where channels is not null
),

intents_of_all_channels as (
    select intent,
    from {{ ref('follow_up_agreement') }}
    where channels is null
),

activities as (
    select
        record_id,
        activity_type,
        occurred_at,
    from {{ ref('int_record_activities') }}
),

contacts as (
    select
        follow_ups.funnel_id,
        follow_ups.subject_id,
        follow_ups.journey_number,
        activities.occurred_at,
        agreed_channels.intent is not null or intents_of_all_channels.intent is not null
            as is_agreed,
    from follow_ups
    inner join activities
        on
            follow_ups.subject_id = activities.record_id
            and follow_ups.follow_up_from <= activities.occurred_at
            and follow_ups.followed_until >= activities.occurred_at
    left join agreed_channels
        on
            follow_ups.intent = agreed_channels.intent
            and activities.activity_type = agreed_channels.activity_type
    left join intents_of_all_channels
        on follow_ups.intent = intents_of_all_channels.intent
),

contacts_of_journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        count(*) as contacts,
        count(case when is_agreed then 1 end) as agreed_contacts,
        min(occurred_at) as first_contact_at,
        min(case when is_agreed then occurred_at end) as first_agreed_contact_at,
        max(occurred_at) as last_contact_at,
    from contacts
    group by funnel_id, subject_id, journey_number
),

contacted_follow_ups as (
    select
        follow_ups.*,
        coalesce(contacts_of_journeys.contacts, 0) as contacts,
        coalesce(contacts_of_journeys.agreed_contacts, 0) as agreed_contacts,
        contacts_of_journeys.first_contact_at,
        contacts_of_journeys.first_agreed_contact_at,
        contacts_of_journeys.last_contact_at,
        follow_ups.followed_until > follow_ups.first_contact_due_at as is_limit_over,
        {{ microseconds_between('follow_ups.follow_up_from', 'follow_ups.followed_until') }}
            as followed_microseconds,
    from follow_ups
    left join contacts_of_journeys
        on
            follow_ups.funnel_id = contacts_of_journeys.funnel_id
            and follow_ups.subject_id = contacts_of_journeys.subject_id
            and follow_ups.journey_number = contacts_of_journeys.journey_number
),

judged_follow_ups as (
    select
        contacted_follow_ups.*,
        case
            when contacted_follow_ups.intent is null then 'no_agreement'
            when contacted_follow_ups.follow_up_from is null then 'undated'
            when
                contacted_follow_ups.first_agreed_contact_at
                <= contacted_follow_ups.first_contact_due_at
                then 'kept'
            when contacted_follow_ups.is_limit_over then 'broken'
            when contacted_follow_ups.ended_at is not null then 'ended_before'
            else 'pending'
        end as status,
        {{ business_microseconds('contacted_follow_ups.follow_up_from', 'start_dates') }}
            as business_start,
        {{ business_microseconds('contacted_follow_ups.first_contact_at', 'contact_dates') }}
            as business_contact,
        {{ business_microseconds('contacted_follow_ups.first_agreed_contact_at', 'agreed_dates') }}
            as business_agreed_contact,
        -- Only whole contacts can be asked for, and begun ones may be there already.
        case
            when
                contacted_follow_ups.followed_microseconds
                >= contacted_follow_ups.period_microseconds
                then
                    cast(
                        floor(
                            cast(contacted_follow_ups.followed_microseconds as double)
                            * contacted_follow_ups.contacts_from
                            / contacted_follow_ups.period_microseconds
                        ) as bigint
                    )
        end as agreed_contacts_from,
        case
            when
                contacted_follow_ups.followed_microseconds
                >= contacted_follow_ups.period_microseconds
                then
                    cast(
                        ceil(
                            cast(contacted_follow_ups.followed_microseconds as double)
                            * contacted_follow_ups.contacts_to
                            / contacted_follow_ups.period_microseconds
                        ) as bigint
                    )
        end as agreed_contacts_to,
    from contacted_follow_ups
    left join calendar_dates as start_dates
        on {{ reporting_date('contacted_follow_ups.follow_up_from') }} = start_dates.calendar_date
    left join calendar_dates as contact_dates
        on
            {{ reporting_date('contacted_follow_ups.first_contact_at') }}
            = contact_dates.calendar_date
    left join calendar_dates as agreed_dates
        on
            {{ reporting_date('contacted_follow_ups.first_agreed_contact_at') }}
            = agreed_dates.calendar_date
)

select
    funnel_id,
    subject_id,
    journey_number,
    owner_id,
    intent,
    outcome,
    status,
    case status
        when 'kept' then true
        when 'broken' then false
    end as first_contact_kept,
    case
        when status in ('no_agreement', 'undated') then null
        when first_contact_at <= first_contact_due_at then true
        when is_limit_over then false
    end as any_first_contact_kept,
    coalesce(first_contact_at = first_agreed_contact_at, false) as is_first_contact_agreed,
    entered_at,
    follow_up_from,
    first_contact_due_at,
    first_contact_at,
    first_agreed_contact_at,
    last_contact_at,
    ended_at,
    first_contact_hours,
    {{ seconds_between('follow_up_from', 'first_contact_at') }} as seconds_to_first_contact,
    {{ decimal_seconds('business_contact - business_start') }}
        as business_seconds_to_first_contact,
    {{ seconds_between('follow_up_from', 'first_agreed_contact_at') }}
        as seconds_to_agreed_contact,
    {{ decimal_seconds('business_agreed_contact - business_start') }}
        as business_seconds_to_agreed_contact,
    contacts,
    agreed_contacts,
    contacts_per,
    contacts_from,
    contacts_to,
    case
        when followed_microseconds >= period_microseconds
            then
                cast(agreed_contacts as double) * period_microseconds / followed_microseconds
    end as contacts_per_period,
    agreed_contacts_from,
    agreed_contacts_to,
    case
        when agreed_contacts_from is null then null
        when agreed_contacts < agreed_contacts_from then 'below'
        when agreed_contacts > agreed_contacts_to then 'above'
        else 'within'
    end as cadence,
    case
        when outcome = 'open'
            then {{ seconds_of(microseconds_between('last_contact_at', 'as_of')) }} / 86400e0
    end as days_since_last_contact,
from judged_follow_ups
