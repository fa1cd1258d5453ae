{{ config(materialized='table') }}

with

records as (
    select * from {{ ref('delivered_records') }}
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

closed_offsets as (
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
        records._source as source,
        {{ prefixed_id('records.record_id', 'records._source') }} as record_id,
        coalesce(lower({{ clean_text('records.record_type') }}), 'opportunity') as record_type,
        {{ clean_text('records.pipeline') }} as pipeline,
        {{ clean_text('records.name') }} as record_name,
        {{ clean_text('records.stage') }} as stage,
        upper({{ clean_text('records.currency') }}) as currency,
        {{ prefixed_id('records.owner_id', 'records._source') }} as owner_id,
        {{ prefixed_id('records.account_id', 'records._source') }} as account_id,
        {{ hash_email('records.contact_email') }} as email_hash,
        {{ email_local_part('records.contact_email') }} as email_local_part,
        {{ clean_text('records.lead_source') }} as lead_source,
        {{ clean_text('records.region') }} as region,
        {{ clean_text('records.loss_reason') }} as loss_reason,
        {{ prefixed_id('records.converted_record_id', 'records._source') }}
            as converted_record_id,
        {{ prefixed_id('records.merged_into_id', 'records._source') }} as merged_into_id,
        {{ clean_text('records.is_deleted') }} as is_deleted_text,
        {{ clean_text('records.expected_close_date') }} as expected_close_date_text,
        {{ clean_text('records.created_at') }} as created_at_text,
        {{ clean_text('records.closed_at') }} as closed_at_text,
        {{ clean_text('records.deleted_at') }} as deleted_at_text,
        {{ clean_text('records.updated_at') }} as updated_at_text,
        {{ clean_text('records.amount') }} as amount_text,
        {{ json_without_keys('records._extra', personal_keys()) }} as further_columns,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(records._is_current, false) as is_current,
        records._load_id as load_id,
        records._delivered_at as delivered_at,
        deliveries.last_delivered_at,
        records._plausible_until as plausible_until,
        records._file as source_file,
        records._row as source_row,
    from records
    left join sources
        on records._source = sources.source
    left join deliveries
        on records._load_id = deliveries.load_id
),

converted as (
    select
        delivered.*,
        try_cast(delivered.is_deleted_text as boolean) as is_deleted,
        try_cast(delivered.expected_close_date_text as date) as expected_close_date,
        {{ to_utc('delivered.created_at_text', 'created_offsets') }} as created_at,
        {{ to_utc('delivered.closed_at_text', 'closed_offsets') }} as closed_at,
        {{ to_utc('delivered.deleted_at_text', 'deleted_offsets') }} as deleted_at,
        {{ to_utc('delivered.updated_at_text', 'updated_offsets') }} as updated_at,
        {{ is_ambiguous_time('delivered.created_at_text', 'created_offsets') }}
        or {{ is_ambiguous_time('delivered.closed_at_text', 'closed_offsets') }}
        or {{ is_ambiguous_time('delivered.deleted_at_text', 'deleted_offsets') }}
        or {{ is_ambiguous_time('delivered.updated_at_text', 'updated_offsets') }}
            as is_ambiguous_time,
        try_cast(delivered.amount_text as decimal(18, 4)) as amount,
    from delivered
    {{ join_utc_offsets('created_offsets', 'delivered.timezone', 'delivered.created_at_text') }}
    {{ join_utc_offsets('closed_offsets', 'delivered.timezone', 'delivered.closed_at_text') }}
    {{ join_utc_offsets('deleted_offsets', 'delivered.timezone', 'delivered.deleted_at_text') }}
    {{ join_utc_offsets('updated_offsets', 'delivered.timezone', 'delivered.updated_at_text') }}
),

-- An expected close is a plan: it may lie in any future.
examined as (
    select
        *,
        {{ refuse_missing('record_id') }} as record_id_refusal,
        case when record_type not in ('lead', 'opportunity') then 'unknown_record_type' end
            as record_type_refusal,
        {{ refuse_unread('is_deleted_text', 'is_deleted', 'unreadable_boolean') }}
            as is_deleted_refusal,
        {{ refuse_unread('expected_close_date_text', 'expected_close_date', 'unreadable_date') }}
            as expected_close_date_refusal,
        {{ refuse_unread('amount_text', 'amount', 'unreadable_number') }} as amount_refusal,
        {{ refuse_instant('created_at_text', 'created_at', 'plausible_until') }}
            as created_at_refusal,
        {{ refuse_instant('closed_at_text', 'closed_at', 'plausible_until') }}
            as closed_at_refusal,
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
            'source', 'record_id', 'record_type', 'pipeline', 'record_name', 'stage', 'currency',
            'owner_id', 'account_id', 'email_hash', 'lead_source', 'region', 'loss_reason',
            'converted_record_id', 'merged_into_id', 'coalesce(is_deleted, false)',
            'expected_close_date', 'created_at', 'closed_at', 'deleted_at', 'updated_at', 'amount',
            'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'record_id': 'record_id',
            'record_type': 'record_type',
            'is_deleted': 'is_deleted_text',
            'expected_close_date': 'expected_close_date_text',
            'amount': 'amount_text',
            'created_at': 'created_at_text',
            'closed_at': 'closed_at_text',
            'deleted_at': 'deleted_at_text',
            'updated_at': 'updated_at_text',
        }) }},
    from examined
),

versions as (
    {{ keyed_row_status('judged', 'record_id') }}
)

select
    source,
    record_id,
    record_type,
    pipeline,
    -- The name of a lead is that of a person.
    case when record_type != 'lead' then record_name end as record_name,
    stage,
    currency,
    owner_id,
    account_id,
    email_hash,
    lead_source,
    region,
    loss_reason,
    converted_record_id,
    merged_into_id,
    further_columns,
    row_status,
    is_contradicted,
    coalesce(
        email_local_part in (select role_addresses.local_part from role_addresses), false
    ) as is_role_address,
    coalesce(is_deleted, false) as is_deleted,
    is_ambiguous_time,
    expected_close_date,
    created_at,
    closed_at,
    deleted_at,
    updated_at,
    delivered_at,
    amount,
    load_id,
    source_file,
    source_row,
    {{ or_key_conflict('record_id') }},
from versions
