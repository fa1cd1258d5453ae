with

run as (
    select as_of from {{ ref('int_run') }}
),

sessions as (
    select
        session_id,
        user_id,
        person_id,
        channel,
        started_at,
    from {{ ref('dim_sessions') }}
),

activities as (
    select
        activity_id,
        record_id,
        contact_id,
        activity_type,
        occurred_at,
    from {{ ref('stg_activities') }}
),

activity_channels as (
    select
        activity_type,
        channel,
    from {{ ref('activity_channels') }}
),

record_survivors as (
    select
        record_id,
        surviving_record_id,
    from {{ ref('int_record_survivors') }}
),

records as (
    select
        record_id,
        account_id,
    from {{ ref('int_surviving_records') }}
),

record_persons as (
    select
        identifier as record_id,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type = 'record_id'
),

user_persons as (
    select
        identifier as user_id,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type = 'user_id'
),

contact_persons as (
    select
        identifier as contact_id,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type = 'contact_id'
),

persons as (
    select
        person_id,
        account_id,
    from {{ ref('dim_persons') }}
),

-- On a device that several share, what began with one of them counts for who signs in, and for the
-- device, which is a visitor of its own.
session_persons as (
    select
        session_id,
        person_id,
    from sessions
    where person_id is not null
    union
    select
        sessions.session_id,
        user_persons.person_id,
    from sessions
    inner join user_persons
        on sessions.user_id = user_persons.user_id
),

session_touches as (
    select
        'session' as touch_type,
        sessions.session_id as touch_id,
        session_persons.person_id,
        cast(null as varchar) as record_account_id,
        coalesce(sessions.channel, '(no channel)') as channel,
        sessions.started_at as touched_at,
    from sessions
    inner join session_persons
        on sessions.session_id = session_persons.session_id
),

activity_touches as (
    select
        'activity' as touch_type,
        activities.activity_id as touch_id,
        -- A record that is nobody's is dealt with as a person of its own; of one that was never
        -- delivered, the contact tells whose it was.
        coalesce(
            record_persons.person_id,
            'record:' || records.record_id,
            contact_persons.person_id
        ) as person_id,
        records.account_id as record_account_id,
        activity_channels.channel,
        activities.occurred_at as touched_at,
    from activities
    inner join activity_channels
        on activities.activity_type = activity_channels.activity_type
    left join record_survivors
        on activities.record_id = record_survivors.record_id
    left join records
        on coalesce(record_survivors.surviving_record_id, activities.record_id) = records.record_id
    left join record_persons
        on activities.record_id = record_persons.record_id
    left join contact_persons
        on activities.contact_id = contact_persons.contact_id
    cross join run
    where activities.occurred_at < run.as_of
),

touches as (
    select * from session_touches
    union all
    select * from activity_touches
    where person_id is not null
)

select
    touches.touch_type,
    touches.touch_id,
    touches.person_id,
    coalesce(touches.record_account_id, persons.account_id) as account_id,
    touches.channel,
    touches.touched_at,
from touches
left join persons
    on touches.person_id = persons.person_id
