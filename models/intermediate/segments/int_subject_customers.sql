with

-- Only these funnels ask for their customers.
funnels as (
    select distinct
        funnel_id,
        subject_type,
    from {{ ref('dim_segments') }}
    where {{ is_customer_attribute('attribute') }}
),

subjects as (
    select distinct
        stage_entries.subject_key,
        stage_entries.subject_id,
        funnels.subject_type,
    from {{ ref('int_stage_entries') }} as stage_entries
    inner join funnels
        on stage_entries.funnel_id = funnels.funnel_id
),

person_identifiers as (
    select
        identifier_type,
        identifier,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type in ('anonymous_id', 'user_id', 'record_id')
),

-- Before its first login a device is nobody's, whoever turns out to have held it.
device_ties as (
    select
        identifier as anonymous_id,
        min(tied_at) as tied_at,
    from {{ ref('int_used_ties') }}
    where identifier_type = 'anonymous_id'
    group by identifier
),

sessions as (
    select
        session_id,
        visitor_id,
        user_id,
        person_id,
    from {{ ref('dim_sessions') }}
),

records as (
    select
        record_id,
        account_id,
    from {{ ref('int_surviving_records') }}
    where account_id is not null
),

identifier_types as (
    {{ person_identifier_types() }}
),

identified_persons as (
    select
        subjects.subject_key,
        min_by(person_identifiers.person_id, identifier_types.preference) as person_id,
        min_by(device_ties.tied_at, identifier_types.preference) as tied_at,
        bool_or(identifier_types.identifier_type = 'anonymous_id') as is_device,
    from subjects
    inner join identifier_types
        on subjects.subject_type = identifier_types.subject_type
    inner join person_identifiers
        on
            identifier_types.identifier_type = person_identifiers.identifier_type
            and subjects.subject_id = person_identifiers.identifier
    left join device_ties
        on
            case
                when identifier_types.identifier_type = 'anonymous_id' then subjects.subject_id
            end
            = device_ties.anonymous_id
    group by subjects.subject_key
),

customers as (
    select
        subject_key,
        'person' as customer_type,
        person_id as customer_id,
        is_device,
        tied_at,
    from identified_persons

    union all

    select
        subject_key,
        subject_type as customer_type,
        subject_id as customer_id,
        false as is_device,
        null as tied_at,
    from subjects
    where subject_type in ('person', 'account')

    union all

    select
        subjects.subject_key,
        'person' as customer_type,
        sessions.person_id as customer_id,
        device_ties.anonymous_id is not null or sessions.user_id is null as is_device,
        device_ties.tied_at,
    from subjects
    inner join sessions
        on
            case when subjects.subject_type = 'session' then subjects.subject_id end
            = sessions.session_id
    left join device_ties
        on sessions.visitor_id = device_ties.anonymous_id

    union all

    select
        subjects.subject_key,
        'account' as customer_type,
        records.account_id as customer_id,
        false as is_device,
        null as tied_at,
    from subjects
    inner join records
        on
            case
                when subjects.subject_type in ('lead', 'opportunity') then subjects.subject_id
            end
            = records.record_id
)

select
    subject_key,
    customer_type,
    customer_id,
    -- Whoever enters with the login is known by it.
    case
        when is_device then tied_at - interval 1 microsecond
        else cast('0001-01-01 00:00:00' as timestamp)
    end as known_after,
from customers
where customer_id is not null and (not is_device or tied_at is not null)
