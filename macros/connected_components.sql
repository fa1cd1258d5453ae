{#- A select of `node` and `component` over a relation of edges, `node` and `other_node`, in which
    each edge stands both ways: nodes that edges lead from one to another have one component, the
    number of one of them.

    Rounds first draw every node into its lowest neighbour, which settles nearly all of what data
    ties; what is left, long chains, is small, and goes by passing on the lowest label. -#}
{% macro connected_components(edges) -%}
    select
        node,
        component,
    from ({{ adapter.dispatch('connected_components')(edges) }}) as found_components
{%- endmacro %}

{% macro default__connected_components(edges) -%}
    {{ exceptions.raise_compiler_error(
        "connected_components: this engine has no recursion with a key; write it in a macro of its own"
    ) }}
{%- endmacro %}

{% macro duckdb__connected_components(edges) -%}
{%- set rounds = 3 -%}
with recursive
{%- for round in range(1, rounds + 1) %}
{%- set before = edges if loop.first else 'edges_' ~ (round - 1) %}

roots_{{ round }} as materialized (
    select
        node,
        least(node, min(other_node)) as root,
    from {{ before }}
    group by node
),

edges_{{ round }} as materialized (
    select distinct
        roots.root as node,
        other_roots.root as other_node,
    from {{ before }} as edges
    inner join roots_{{ round }} as roots
        on edges.node = roots.node
    inner join roots_{{ round }} as other_roots
        on edges.other_node = other_roots.node
    where roots.root != other_roots.root
),
{%- endfor %}

-- One row a node, which a lower label replaces: without the key, each label would stay as a row.
labels(node, label) using key (node) as (
    select
        node,
        least(node, min(other_node)) as label,
    from edges_{{ rounds }}
    group by node

    union

    select
        edges.other_node as node,
        min(labels.label) as label,
    from labels
    inner join edges_{{ rounds }} as edges
        on labels.node = edges.node
    inner join recurring.labels as known
        on edges.other_node = known.node
    where labels.label < known.label
    group by edges.other_node
)

{%- set ns = namespace(root='roots_1.root') %}

select
    roots_1.node,
    coalesce(
        labels.label,
        {%- for round in range(rounds, 1, -1) %}
        roots_{{ round }}.root,
        {%- endfor %}
        roots_1.root
    ) as component,
from roots_1
{%- for round in range(2, rounds + 1) %}
left join roots_{{ round }}
    on {{ ns.root }} = roots_{{ round }}.node
{%- set ns.root = 'coalesce(roots_' ~ round ~ '.root, ' ~ ns.root ~ ')' %}
{%- endfor %}
left join labels
    on {{ ns.root }} = labels.node
{%- endmacro %}
