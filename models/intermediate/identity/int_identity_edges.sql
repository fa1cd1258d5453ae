with

used_ties as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
    from {{ ref('int_used_ties') }}
),

nodes as (
    select
        identifier_type,
        identifier,
        node,
    from {{ ref('int_identity_nodes') }}
),

one_way as (
    select
        nodes.node,
        tied_nodes.node as other_node,
    from used_ties
    inner join nodes
        on
            used_ties.identifier_type = nodes.identifier_type
            and used_ties.identifier = nodes.identifier
    inner join nodes as tied_nodes
        on
            used_ties.tied_type = tied_nodes.identifier_type
            and used_ties.tied_identifier = tied_nodes.identifier
)

select
    node,
    other_node,
from one_way

union

select
    other_node as node,
    node as other_node,
from one_way
