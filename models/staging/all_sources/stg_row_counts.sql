{{ config(materialized='table') }}

{%- set tables = [
    'records', 'stage_changes', 'field_changes', 'orders', 'activities', 'accounts', 'contacts',
    'owners',
] %}

with

sources as (
    select
        source,
        system,
    from {{ ref('sources') }}
),

loaded_rows as (
    {%- for table in ['events'] + tables %}
        select
            _source as source,
            '{{ table }}' as table_name,
            case when _is_current then 'delivered' else 'superseded' end as fate,
            count(*) as counted_rows,
        from {{ ref('delivered_' ~ table) }}
        group by all
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

rows_refused_at_loading as (
    select
        quarantined_rows.source,
        quarantined_rows.table_name,
        case when loads.is_current then 'refused_at_loading' else 'superseded' end as fate,
        count(*) as counted_rows,
    from {{ source('raw', 'quarantined_rows') }} as quarantined_rows
    inner join {{ source('raw', 'loads') }} as loads
        on quarantined_rows.load_id = loads.load_id
    inner join sources
        on quarantined_rows.source = sources.source
    -- What another system delivers is no row of an extract before it is translated.
    where sources.system = 'generic'
    group by all
),

rows_refused_in_staging as (
    select
        source,
        table_name,
        'refused_in_staging' as fate,
        count(*) as counted_rows,
    from {{ ref('stg_quarantined_rows') }}
    group by all
),

repeated_rows as (
    select
        source,
        'events' as table_name,
        'repeated' as fate,
        count(*) as counted_rows,
    from {{ ref('base_repeated_events') }}
    group by all
    {%- for table in tables %}

        union all

        select
            source,
            '{{ table }}' as table_name,
            'repeated' as fate,
            count(*) as counted_rows,
        from {{ ref('base_' ~ table) }}
        where row_status = 'repeated'
        group by all
    {%- endfor %}
),

kept_rows as (
    {%- for table in ['events'] + tables %}
        select
            source,
            '{{ table }}' as table_name,
            'kept' as fate,
            count(*) as counted_rows,
        from {{ ref('stg_' ~ table) }}
        group by all
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counts as (
    select * from loaded_rows
    union all
    select * from rows_refused_at_loading
    union all
    select * from rows_refused_in_staging
    union all
    select * from repeated_rows
    union all
    select * from kept_rows
)

select
    source,
    table_name,
    cast(coalesce(sum(counted_rows) filter (
        where fate in ('delivered', 'refused_at_loading')
    ), 0) as bigint) as rows_delivered,
    cast(coalesce(sum(counted_rows) filter (where fate = 'refused_at_loading'), 0) as bigint)
        as rows_quarantined_at_loading,
    cast(coalesce(sum(counted_rows) filter (where fate = 'refused_in_staging'), 0) as bigint)
        as rows_quarantined_in_staging,
    cast(coalesce(sum(counted_rows) filter (where fate = 'repeated'), 0) as bigint)
        as rows_repeated,
    cast(coalesce(sum(counted_rows) filter (where fate = 'kept'), 0) as bigint) as rows_kept,
    cast(coalesce(sum(counted_rows) filter (where fate = 'superseded'), 0) as bigint)
        as rows_superseded,
from counts
group by all
