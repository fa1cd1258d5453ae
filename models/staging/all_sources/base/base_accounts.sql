{{ config(materialized='table') }}

with

accounts as (
    select * from {{ ref('delivered_accounts') }}
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

delivered as (
    select
        accounts._source as source,
        {{ prefixed_id('accounts.account_id', 'accounts._source') }} as account_id,
        {{ prefixed_id('accounts.parent_account_id', 'accounts._source') }} as parent_account_id,
        {{ prefixed_id('accounts.merged_into_id', 'accounts._source') }} as merged_into_id,
        {{ prefixed_id('accounts.owner_id', 'accounts._source') }} as owner_id,
        {{ clean_text('accounts.name') }} as account_name,
        {{ clean_text('accounts.industry') }} as industry,
        {{ clean_text('accounts.country') }} as country,
        {{ clean_text('accounts.region') }} as region,
        {{ clean_text('accounts.website') }} as website,
        upper({{ clean_text('accounts.currency') }}) as currency,
        {{ clean_text('accounts.is_deleted') }} as is_deleted_text,
        {{ clean_text('accounts.employees') }} as employees_text,
        {{ clean_text('accounts.annual_revenue') }} as annual_revenue_text,
        {{ clean_text('accounts.created_at') }} as created_at_text,
        {{ clean_text('accounts.deleted_at') }} as deleted_at_text,
        {{ clean_text('accounts.updated_at') }} as updated_at_text,
        {{ json_without_keys('accounts._extra', personal_keys()) }} as further_columns,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(accounts._is_current, false) as is_current,
        accounts._delivered_at as delivered_at,
        deliveries.last_delivered_at,
        accounts._plausible_until as plausible_until,
        accounts._file as source_file,
        accounts._row as source_row,
    from accounts
    left join sources
        on accounts._source = sources.source
    left join deliveries
        on accounts._load_id = deliveries.load_id
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
        cast(try_cast(delivered.employees_text as decimal(18, 4)) as bigint) as employees,
        try_cast(delivered.annual_revenue_text as decimal(18, 4)) as annual_revenue,
    from delivered
    {{ join_utc_offsets('created_offsets', 'delivered.timezone', 'delivered.created_at_text') }}
    {{ join_utc_offsets('deleted_offsets', 'delivered.timezone', 'delivered.deleted_at_text') }}
    {{ join_utc_offsets('updated_offsets', 'delivered.timezone', 'delivered.updated_at_text') }}
),

examined as (
    select
        *,
        {{ refuse_missing('account_id') }} as account_id_refusal,
        {{ refuse_unread('is_deleted_text', 'is_deleted', 'unreadable_boolean') }}
            as is_deleted_refusal,
        {{ refuse_unread('employees_text', 'employees', 'unreadable_number') }}
            as employees_refusal,
        {{ refuse_unread('annual_revenue_text', 'annual_revenue', 'unreadable_number') }}
            as annual_revenue_refusal,
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
            'source', 'account_id', 'parent_account_id', 'merged_into_id', 'owner_id',
            'account_name', 'industry', 'country', 'region', 'website', 'currency',
            'coalesce(is_deleted, false)', 'employees', 'annual_revenue', 'created_at',
            'deleted_at', 'updated_at', 'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'account_id': 'account_id',
            'is_deleted': 'is_deleted_text',
            'employees': 'employees_text',
            'annual_revenue': 'annual_revenue_text',
            'created_at': 'created_at_text',
            'deleted_at': 'deleted_at_text',
            'updated_at': 'updated_at_text',
        }) }},
    from examined
),

versions as (
    {{ keyed_row_status('judged', 'account_id') }}
)

select
    source,
    account_id,
    parent_account_id,
    merged_into_id,
    owner_id,
    account_name,
    industry,
    country,
    region,
    website,
    currency,
    further_columns,
    row_status,
    coalesce(is_deleted, false) as is_deleted,
    is_ambiguous_time,
    created_at,
    deleted_at,
    updated_at,
    delivered_at,
    employees,
    annual_revenue,
    source_file,
    source_row,
    {{ or_key_conflict('account_id') }},
from versions
