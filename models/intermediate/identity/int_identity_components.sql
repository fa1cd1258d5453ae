with

nodes as (
    select
        identifier_type,
        identifier,
        node,
    from {{ ref('int_identity_nodes') }}
),

-- The edges are a table: what a recursion reads is worked out anew in each of its rounds.
components as (
    {{ connected_components(ref('int_identity_edges')) }}
)

select
    nodes.identifier_type,
    nodes.identifier,
    components.component,
from components
inner join nodes
    on components.node = nodes.node
