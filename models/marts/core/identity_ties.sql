with

used_ties as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
        evidence,
        source,
        tied_at,
    from {{ ref('int_used_ties') }}
),

person_identifiers as (
    select
        identifier_type,
        identifier,
        person_id,
        shown_identifier,
    from {{ ref('int_person_identifiers') }}
)

select
    identifiers.person_id,
    used_ties.identifier_type,
    identifiers.shown_identifier as identifier,
    used_ties.tied_type,
    tied_identifiers.shown_identifier as tied_identifier,
    used_ties.evidence,
    used_ties.source,
    used_ties.tied_at,
from used_ties
inner join person_identifiers as identifiers
    on
        used_ties.identifier_type = identifiers.identifier_type
        and used_ties.identifier = identifiers.identifier
inner join person_identifiers as tied_identifiers
    on
        used_ties.tied_type = tied_identifiers.identifier_type
        and used_ties.tied_identifier = tied_identifiers.identifier
