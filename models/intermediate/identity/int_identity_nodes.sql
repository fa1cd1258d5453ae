with

used_ties as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
    from {{ ref('int_used_ties') }}
),

identifiers as (
    select
        identifier_type,
        identifier,
    from used_ties
    union
    select
        tied_type as identifier_type,
        tied_identifier as identifier,
    from used_ties
)

-- Numbers are compared many times faster than texts.
select
    identifier_type,
    identifier,
    row_number() over (order by identifier_type, identifier) as node,
from identifiers
