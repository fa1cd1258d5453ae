with

ties as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
        evidence,
        source,
        source_file,
        source_row,
        tied_at,
    from {{ ref('int_identity_ties') }}
),

unused_identifiers as (
    select distinct
        identifier_type,
        identifier,
    from {{ ref('int_unused_identifiers') }}
)

select
    ties.identifier_type,
    ties.identifier,
    ties.tied_type,
    ties.tied_identifier,
    ties.evidence,
    ties.source,
    ties.source_file,
    ties.source_row,
    ties.tied_at,
from ties
left join unused_identifiers
    on
        ties.identifier_type = unused_identifiers.identifier_type
        and ties.identifier = unused_identifiers.identifier
left join unused_identifiers as unused_tied
    on
        ties.tied_type = unused_tied.identifier_type
        and ties.tied_identifier = unused_tied.identifier
where unused_identifiers.identifier is null and unused_tied.identifier is null
