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
),

-- Numbers are compared many times faster than texts.
nodes as (
    select
        identifier_type,
        identifier,
        row_number() over (order by identifier_type, identifier) as node,
    from identifiers
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
),

edges as ( -- noqa: structure.unused_cte
    select
        node,
        other_node,
    from one_way
    union
    select
        other_node as node,
        node as other_node,
    from one_way
),

components as (
    {{ connected_components('edges') }}
)

select
    nodes.identifier_type,
    nodes.identifier,
    components.component,
from components
inner join nodes
    on components.node = nodes.node
