with

events as (
    select occurred_at from {{ ref('stg_events') }}
),

records as (
    select
        created_at,
        closed_at,
        updated_at,
        deleted_at,
    from {{ ref('stg_records') }}
),

stage_changes as (
    select changed_at from {{ ref('stg_stage_changes') }}
),

field_changes as (
    select changed_at from {{ ref('stg_field_changes') }}
),

orders as (
    select ordered_at from {{ ref('stg_orders') }}
),

activities as (
    select occurred_at from {{ ref('stg_activities') }}
),

record_snapshots as (
    select taken_at from {{ ref('int_record_snapshots') }}
),

latest_instants as (
    select max(occurred_at) as latest_at from events
    union all
    select max(created_at) as latest_at from records
    union all
    select max(closed_at) as latest_at from records
    union all
    select max(updated_at) as latest_at from records
    union all
    select max(deleted_at) as latest_at from records
    union all
    select max(changed_at) as latest_at from stage_changes
    union all
    select max(changed_at) as latest_at from field_changes
    union all
    select max(ordered_at) as latest_at from orders
    union all
    select max(occurred_at) as latest_at from activities
    union all
    select max(taken_at) as latest_at from record_snapshots
),

latest as (
    select max(latest_at) as latest_at from latest_instants
)

select
    '{{ reporting_timezone() }}' as reporting_timezone,
    '{{ env_var("FUNNEL_CURRENCY", "USD") }}' as reporting_currency,
    {% if env_var('FUNNEL_AS_OF', '') -%}
    cast('{{ env_var("FUNNEL_AS_OF") }}' as timestamp) as as_of,
    {%- else -%}
    -- A warehouse without any delivery knows nothing yet.
    cast(
        coalesce(
            {{ next_reporting_midnight('latest.latest_at') }},
            timestamp '{{ var("earliest_plausible_instant") }}'
        ) as timestamp
    ) as as_of,
    {%- endif %}
from latest
