with

person_identifiers as (
    select
        identifier_type,
        person_id,
        is_of_web,
        first_seen_at,
    from {{ ref('int_person_identifiers') }}
),

person_accounts as (
    select
        person_id,
        account_id,
        accounts,
    from {{ ref('int_person_accounts') }}
),

persons as (
    select
        person_id,
        bool_or(is_of_web) as is_known_to_web,
        bool_or(identifier_type in ('contact_id', 'record_id')) as is_known_to_crm,
        min(first_seen_at) as first_seen_at,
        count(*) filter (where identifier_type = 'anonymous_id') as anonymous_ids,
        count(*) filter (where identifier_type = 'user_id') as user_ids,
        count(*) filter (where identifier_type = 'email') as emails,
        count(*) filter (where identifier_type = 'contact_id') as contacts,
        count(*) filter (where identifier_type = 'record_id') as records,
    from person_identifiers
    group by person_id
)

select
    persons.person_id,
    person_accounts.account_id,
    persons.is_known_to_web,
    persons.is_known_to_crm,
    persons.first_seen_at,
    persons.anonymous_ids,
    persons.user_ids,
    persons.emails,
    persons.contacts,
    persons.records,
    coalesce(person_accounts.accounts, 0) as accounts,
from persons
left join person_accounts
    on persons.person_id = person_accounts.person_id
