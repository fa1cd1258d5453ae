with

run as (
    select as_of from {{ ref('int_run') }}
),

sightings as (
    select
        anonymous_id,
        user_id,
        email_hash,
        first_seen_at,
    from {{ ref('int_identity_sightings') }}
),

orders as (
    select
        orders.user_id,
        orders.ordered_at,
    from {{ ref('stg_orders') }} as orders
    cross join run
    where orders.ordered_at < run.as_of
),

contacts as (
    select
        contact_id,
        user_id,
        email_hash,
        merged_into_id,
        created_at,
    from {{ ref('int_identity_contacts') }}
),

records as (
    select
        record_id,
        email_hash,
        merged_into_id,
        first_seen_at,
    from {{ ref('int_identity_records') }}
),

components as (
    select
        identifier_type,
        identifier,
        component,
    from {{ ref('int_identity_components') }}
),

sighted_identifiers as (
    select
        'anonymous_id' as identifier_type,
        anonymous_id as identifier,
        false as is_merged,
        true as is_of_web,
        first_seen_at,
    from sightings
    where anonymous_id is not null
    union all
    select
        'user_id' as identifier_type,
        user_id as identifier,
        false as is_merged,
        true as is_of_web,
        first_seen_at,
    from sightings
    where user_id is not null
    union all
    select
        'email' as identifier_type,
        email_hash as identifier,
        false as is_merged,
        true as is_of_web,
        first_seen_at,
    from sightings
    where email_hash is not null
    union all
    select
        'user_id' as identifier_type,
        user_id as identifier,
        false as is_merged,
        true as is_of_web,
        ordered_at as first_seen_at,
    from orders
    where user_id is not null
    union all
    select
        'user_id' as identifier_type,
        user_id as identifier,
        false as is_merged,
        false as is_of_web,
        created_at as first_seen_at,
    from contacts
    where user_id is not null
    union all
    select
        'contact_id' as identifier_type,
        contact_id as identifier,
        merged_into_id is not null as is_merged,
        false as is_of_web,
        created_at as first_seen_at,
    from contacts
    union all
    select
        'email' as identifier_type,
        email_hash as identifier,
        false as is_merged,
        false as is_of_web,
        created_at as first_seen_at,
    from contacts
    where email_hash is not null
    union all
    select
        'record_id' as identifier_type,
        record_id as identifier,
        merged_into_id is not null as is_merged,
        false as is_of_web,
        first_seen_at,
    from records
    union all
    select
        'email' as identifier_type,
        email_hash as identifier,
        false as is_merged,
        false as is_of_web,
        first_seen_at,
    from records
    where email_hash is not null
),

identifiers as (
    select
        identifier_type,
        identifier,
        bool_and(is_merged) as is_merged,
        bool_or(is_of_web) as is_of_web,
        min(first_seen_at) as first_seen_at,
    from sighted_identifiers
    group by identifier_type, identifier
),

records_with_email as (
    select record_id
    from records
    where email_hash is not null
),

grouped_identifiers as (
    select
        identifiers.identifier_type,
        identifiers.identifier,
        components.component,
        identifiers.is_merged,
        identifiers.is_of_web,
        identifiers.first_seen_at,
    from identifiers
    left join components
        on
            identifiers.identifier_type = components.identifier_type
            and identifiers.identifier = components.identifier
    left join records_with_email
        on
            case when identifiers.identifier_type = 'record_id' then identifiers.identifier end
            = records_with_email.record_id
    -- An address that ties nothing is nobody's, and a deal without one that nothing ties is a deal
    -- of nobody.
    where
        components.component is not null
        or identifiers.identifier_type not in ('email', 'record_id')
        or records_with_email.record_id is not null
),

-- The lowest id of the kind that lasts longest; never the hash of an address: who has a list of
-- addresses could tell whose it is.
component_persons as (
    select
        component,
        coalesce(
            min(identifier) filter (where identifier_type = 'user_id'),
            'visitor:' || min(identifier) filter (where identifier_type = 'anonymous_id'),
            'record:'
            || min(identifier) filter (where identifier_type = 'record_id' and not is_merged),
            'record:' || min(identifier) filter (where identifier_type = 'record_id'),
            'contact:'
            || min(identifier) filter (where identifier_type = 'contact_id' and not is_merged),
            'contact:' || min(identifier) filter (where identifier_type = 'contact_id')
        ) as person_id,
    from grouped_identifiers
    where component is not null
    group by component
),

persons as (
    select
        grouped_identifiers.identifier_type,
        grouped_identifiers.identifier,
        coalesce(
            component_persons.person_id,
            case grouped_identifiers.identifier_type
                when 'user_id' then grouped_identifiers.identifier
                when 'anonymous_id' then 'visitor:' || grouped_identifiers.identifier
                when 'record_id' then 'record:' || grouped_identifiers.identifier
                when 'contact_id' then 'contact:' || grouped_identifiers.identifier
            end
        ) as person_id,
        grouped_identifiers.is_of_web,
        grouped_identifiers.first_seen_at,
    from grouped_identifiers
    left join component_persons
        on grouped_identifiers.component = component_persons.component
),

emails as (
    select
        identifier,
        'address '
        || row_number() over (
            partition by person_id
            order by first_seen_at nulls last, identifier
        ) as shown_identifier,
    from persons
    where identifier_type = 'email'
)

select
    persons.identifier_type,
    persons.identifier,
    persons.person_id,
    coalesce(emails.shown_identifier, persons.identifier) as shown_identifier,
    persons.is_of_web,
    persons.first_seen_at,
from persons
left join emails
    on
        case when persons.identifier_type = 'email' then persons.identifier end
        = emails.identifier
