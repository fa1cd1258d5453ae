{{ config(materialized='table') }}

with

owners as (
    select * from {{ ref('delivered_owners') }}
),

deliveries as (
    select
        load_id,
        max(delivered_at) as last_delivered_at,
    from {{ source('raw', 'deliveries') }}
    group by load_id
),

sources as (
    select
        source,
        timezone,
    from {{ ref('sources') }}
),

created_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

updated_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

delivered as (
    select
        owners._source as source,
        {{ prefixed_id('owners.owner_id', 'owners._source') }} as owner_id,
        {{ prefixed_id('owners.manager_id', 'owners._source') }} as manager_id,
        {{ clean_text('owners.email') }} as email,
        {{ clean_text('owners.name') }} as owner_name,
        {{ clean_text('owners.team') }} as team,
        {{ clean_text('owners.region') }} as region,
        {{ clean_text('owners.is_active') }} as is_active_text,
        {{ clean_text('owners.created_at') }} as created_at_text,
        {{ clean_text('owners.updated_at') }} as updated_at_text,
        {{ json_without_keys('owners._extra', personal_keys()) }} as further_columns,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(owners._is_current, false) as is_current,
        owners._delivered_at as delivered_at,
        deliveries.last_delivered_at,
        owners._plausible_until as plausible_until,
        owners._file as source_file,
        owners._row as source_row,
    from owners
    left join sources
        on owners._source = sources.source
    left join deliveries
        on owners._load_id = deliveries.load_id
),

converted as (
    select
        delivered.*,
        try_cast(delivered.is_active_text as boolean) as is_active,
        {{ to_utc('delivered.created_at_text', 'created_offsets') }} as created_at,
        {{ to_utc('delivered.updated_at_text', 'updated_offsets') }} as updated_at,
        {{ is_ambiguous_time('delivered.created_at_text', 'created_offsets') }}
        or {{ is_ambiguous_time('delivered.updated_at_text', 'updated_offsets') }}
            as is_ambiguous_time,
    from delivered
    {{ join_utc_offsets('created_offsets', 'delivered.timezone', 'delivered.created_at_text') }}
    {{ join_utc_offsets('updated_offsets', 'delivered.timezone', 'delivered.updated_at_text') }}
),

examined as (
    select
        *,
        {{ refuse_missing('owner_id') }} as owner_id_refusal,
        {{ refuse_unread('is_active_text', 'is_active', 'unreadable_boolean') }}
            as is_active_refusal,
        {{ refuse_instant('created_at_text', 'created_at', 'plausible_until') }}
            as created_at_refusal,
        {{ refuse_instant('updated_at_text', 'updated_at', 'plausible_until') }}
            as updated_at_refusal,
    from converted
),

judged as (
    select
        *,
        {{ content_hash([
            'source', 'owner_id', 'manager_id', 'email', 'owner_name', 'team', 'region',
            'coalesce(is_active, true)', 'created_at', 'updated_at', 'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'owner_id': 'owner_id',
            'is_active': 'is_active_text',
            'created_at': 'created_at_text',
            'updated_at': 'updated_at_text',
        }) }},
    from examined
),

versions as (
    {{ keyed_row_status('judged', 'owner_id') }}
)

select
    source,
    owner_id,
    manager_id,
    owner_name,
    team,
    region,
    further_columns,
    row_status,
    coalesce(is_active, true) as is_active,
    is_ambiguous_time,
    created_at,
    updated_at,
    delivered_at,
    source_file,
    source_row,
    {{ or_key_conflict('owner_id') }},
from versions
