with

unused_identifiers as (
    select
        identifier_type,
        identifier,
        reason,
        tied_type,
        tied_identifiers,
        max_tied,
    from {{ ref('int_unused_identifiers') }}
),

ties as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
    from {{ ref('int_identity_ties') }}
),

person_identifiers as (
    select
        identifier_type,
        identifier,
        person_id,
    from {{ ref('int_person_identifiers') }}
),

both_ways as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
    from ties
    union all
    select
        tied_type as identifier_type,
        tied_identifier as identifier,
        identifier_type as tied_type,
        identifier as tied_identifier,
    from ties
),

persons_apart as (
    select
        unused_identifiers.identifier_type,
        unused_identifiers.identifier,
        count(distinct person_identifiers.person_id) as persons,
        min(person_identifiers.person_id) as first_person_id,
    from (
        select distinct
            identifier_type,
            identifier,
        from unused_identifiers
    ) as unused_identifiers
    inner join both_ways
        on
            unused_identifiers.identifier_type = both_ways.identifier_type
            and unused_identifiers.identifier = both_ways.identifier
    left join person_identifiers
        on
            both_ways.tied_type = person_identifiers.identifier_type
            and both_ways.tied_identifier = person_identifiers.identifier
    group by all
),

-- An address is never shown: its number tells it apart from others, in this release.
shown_emails as (
    select
        identifier,
        'address ' || row_number() over (
            order by first_person_id nulls last, identifier
        ) as shown_identifier,
    from persons_apart
    where identifier_type = 'email'
)

select
    unused_identifiers.identifier_type,
    coalesce(shown_emails.shown_identifier, unused_identifiers.identifier) as identifier,
    unused_identifiers.reason,
    unused_identifiers.tied_type,
    persons_apart.first_person_id,
    unused_identifiers.tied_identifiers,
    unused_identifiers.max_tied,
    persons_apart.persons,
from unused_identifiers
inner join persons_apart
    on
        unused_identifiers.identifier_type = persons_apart.identifier_type
        and unused_identifiers.identifier = persons_apart.identifier
left join shown_emails
    on
        unused_identifiers.identifier_type = 'email'
        and unused_identifiers.identifier = shown_emails.identifier
