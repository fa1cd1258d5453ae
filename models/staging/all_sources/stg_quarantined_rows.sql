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
from {{ ref('base_events') }}
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
    from {{ ref('base_' ~ table) }}
    where row_status = 'quarantined'
{% endfor %}
