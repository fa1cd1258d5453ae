{{ config(materialized='table') }}

with

contacts as (
    select * from {{ ref('delivered_contacts') }}
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

deleted_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

updated_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

role_addresses as (
    select local_part from {{ ref('role_addresses') }}
),

delivered as (
    select
        contacts._source as source,
        {{ prefixed_id('contacts.contact_id', 'contacts._source') }} as contact_id,
        {{ prefixed_id('contacts.account_id', 'contacts._source') }} as account_id,
        {{ clean_text('contacts.user_id') }} as user_id,
        {{ prefixed_id('contacts.merged_into_id', 'contacts._source') }} as merged_into_id,
        {{ prefixed_id('contacts.owner_id', 'contacts._source') }} as owner_id,
        {{ hash_email('contacts.email') }} as email_hash,
        {{ email_local_part('contacts.email') }} as email_local_part,
        {{ clean_text('contacts.name') }} as contact_name,
        {{ clean_text('contacts.phone') }} as phone,
        {{ clean_text('contacts.job_title') }} as job_title,
        {{ clean_text('contacts.lead_source') }} as lead_source,
        {{ clean_text('contacts.region') }} as region,
        {{ clean_text('contacts.is_deleted') }} as is_deleted_text,
        {{ clean_text('contacts.created_at') }} as created_at_text,
        {{ clean_text('contacts.deleted_at') }} as deleted_at_text,
        {{ clean_text('contacts.updated_at') }} as updated_at_text,
        {{ json_without_keys('contacts._extra', personal_keys()) }} as further_columns,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(contacts._is_current, false) as is_current,
        contacts._delivered_at as delivered_at,
        deliveries.last_delivered_at,
        contacts._plausible_until as plausible_until,
        contacts._file as source_file,
        contacts._row as source_row,
    from contacts
    left join sources
        on contacts._source = sources.source
    left join deliveries
        on contacts._load_id = deliveries.load_id
),

converted as (
    select
        delivered.*,
        try_cast(delivered.is_deleted_text as boolean) as is_deleted,
        {{ to_utc('delivered.created_at_text', 'created_offsets') }} as created_at,
        {{ to_utc('delivered.deleted_at_text', 'deleted_offsets') }} as deleted_at,
        {{ to_utc('delivered.updated_at_text', 'updated_offsets') }} as updated_at,
        {{ is_ambiguous_time('delivered.created_at_text', 'created_offsets') }}
        or {{ is_ambiguous_time('delivered.deleted_at_text', 'deleted_offsets') }}
        or {{ is_ambiguous_time('delivered.updated_at_text', 'updated_offsets') }}
            as is_ambiguous_time,
    from delivered
    {{ join_utc_offsets('created_offsets', 'delivered.timezone', 'delivered.created_at_text') }}
    {{ join_utc_offsets('deleted_offsets', 'delivered.timezone', 'delivered.deleted_at_text') }}
    {{ join_utc_offsets('updated_offsets', 'delivered.timezone', 'delivered.updated_at_text') }}
),

examined as (
    select
        *,
        {{ refuse_missing('contact_id') }} as contact_id_refusal,
        {{ refuse_unread('is_deleted_text', 'is_deleted', 'unreadable_boolean') }}
            as is_deleted_refusal,
        {{ refuse_instant('created_at_text', 'created_at', 'plausible_until') }}
            as created_at_refusal,
        {{ refuse_instant('deleted_at_text', 'deleted_at', 'plausible_until') }}
            as deleted_at_refusal,
        {{ refuse_instant('updated_at_text', 'updated_at', 'plausible_until') }}
            as updated_at_refusal,
    from converted
),

judged as (
    select
        *,
        {{ content_hash([
            'source', 'contact_id', 'account_id', 'user_id', 'merged_into_id', 'owner_id',
            'email_hash', 'contact_name', 'phone', 'job_title', 'lead_source', 'region',
            'coalesce(is_deleted, false)', 'created_at', 'deleted_at', 'updated_at',
            'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'contact_id': 'contact_id',
            'is_deleted': 'is_deleted_text',
            'created_at': 'created_at_text',
            'deleted_at': 'deleted_at_text',
            'updated_at': 'updated_at_text',
        }) }},
    from examined
),

versions as (
    {{ keyed_row_status('judged', 'contact_id') }}
)

select
    source,
    contact_id,
    account_id,
    user_id,
    merged_into_id,
    owner_id,
    email_hash,
    job_title,
    lead_source,
    region,
    further_columns,
    row_status,
    coalesce(
        email_local_part in (select role_addresses.local_part from role_addresses), false
    ) as is_role_address,
    coalesce(is_deleted, false) as is_deleted,
    is_ambiguous_time,
    created_at,
    deleted_at,
    updated_at,
    delivered_at,
    source_file,
    source_row,
    {{ or_key_conflict('contact_id') }},
from versions
