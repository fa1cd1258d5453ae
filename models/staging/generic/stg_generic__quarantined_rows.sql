{{ config(materialized='table') }}

{%- set tables = [
    'records', 'stage_changes', 'field_changes', 'orders', 'activities', 'accounts', 'contacts',
    'owners',
] %}

select
    source,
    'events' as table_name,
    source_file,
    source_row,
    delivered_at,
    quarantine_column as column_name,
    quarantine_reason as reason,
    expected,
    text,
from {{ ref('base_generic__events') }}
where quarantine_reason is not null
{% for table in tables %}
    union all

    select
        source,
        '{{ table }}' as table_name,
        source_file,
        source_row,
        delivered_at,
        quarantine_column as column_name,
        quarantine_reason as reason,
        expected,
        text,
    from {{ ref('base_generic__' ~ table) }}
    where row_status = 'quarantined'
{% endfor %}
