with

subjects as (
    select
        subject_type,
        subject_id,
    from {{ ref('dim_subjects') }}
),

person_identifiers as (
    select
        identifier_type,
        identifier,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type in ('anonymous_id', 'user_id', 'record_id')
),

sessions as (
    select
        session_id,
        person_id,
    from {{ ref('dim_sessions') }}
),

persons as (
    select
        person_id,
        account_id,
    from {{ ref('dim_persons') }}
),

records as (
    select
        record_id,
        account_id,
    from {{ ref('int_surviving_records') }}
),

identifier_types as (
    {{ person_identifier_types() }}
),

identified_subjects as (
    select
        subjects.subject_type,
        subjects.subject_id,
        min_by(person_identifiers.person_id, identifier_types.preference) as person_id,
    from subjects
    inner join identifier_types
        on subjects.subject_type = identifier_types.subject_type
    inner join person_identifiers
        on
            identifier_types.identifier_type = person_identifiers.identifier_type
            and subjects.subject_id = person_identifiers.identifier
    group by subjects.subject_type, subjects.subject_id
),

subject_persons as (
    select
        subjects.subject_type,
        subjects.subject_id,
        case
            when subjects.subject_type = 'person' then subjects.subject_id
            when subjects.subject_type = 'session' then sessions.person_id
            when subjects.subject_type in ('lead', 'opportunity')
                then coalesce(identified_subjects.person_id, 'record:' || subjects.subject_id)
            else identified_subjects.person_id
        end as person_id,
    from subjects
    left join identified_subjects
        on
            subjects.subject_type = identified_subjects.subject_type
            and subjects.subject_id = identified_subjects.subject_id
    left join sessions
        on
            case when subjects.subject_type = 'session' then subjects.subject_id end
            = sessions.session_id
)

select
    subject_persons.subject_type,
    subject_persons.subject_id,
    subject_persons.person_id,
    case
        when subject_persons.subject_type = 'account' then subject_persons.subject_id
        else coalesce(records.account_id, persons.account_id)
    end as account_id,
from subject_persons
left join persons
    on subject_persons.person_id = persons.person_id
left join records
    on
        case
            when subject_persons.subject_type in ('lead', 'opportunity')
                then subject_persons.subject_id
        end
        = records.record_id
