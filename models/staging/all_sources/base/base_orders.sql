{{ config(materialized='table') }}

with

orders as (
    select * from {{ ref('delivered_orders') }}
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

ordered_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

updated_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

delivered as (
    select
        orders._source as source,
        {{ prefixed_id('orders.order_id', 'orders._source') }} as order_id,
        coalesce({{ clean_text('orders.order_number') }}, {{ clean_text('orders.order_id') }})
            as order_number,
        {{ clean_text('orders.user_id') }} as user_id,
        {{ prefixed_id('orders.account_id', 'orders._source') }} as account_id,
        {{ clean_text('orders.status') }} as status,
        upper({{ clean_text('orders.currency') }}) as currency,
        {{ clean_text('orders.amount') }} as amount_text,
        {{ clean_text('orders.ordered_at') }} as ordered_at_text,
        {{ clean_text('orders.updated_at') }} as updated_at_text,
        {{ json_without_keys('orders._extra', personal_keys()) }} as further_columns,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(orders._is_current, false) as is_current,
        orders._delivered_at as delivered_at,
        deliveries.last_delivered_at,
        orders._plausible_until as plausible_until,
        orders._file as source_file,
        orders._row as source_row,
    from orders
    left join sources
        on orders._source = sources.source
    left join deliveries
        on orders._load_id = deliveries.load_id
),

converted as (
    select
        delivered.*,
        {{ to_utc('delivered.ordered_at_text', 'ordered_offsets') }} as ordered_at,
        {{ to_utc('delivered.updated_at_text', 'updated_offsets') }} as updated_at,
        {{ is_ambiguous_time('delivered.ordered_at_text', 'ordered_offsets') }}
        or {{ is_ambiguous_time('delivered.updated_at_text', 'updated_offsets') }}
            as is_ambiguous_time,
        try_cast(delivered.amount_text as decimal(18, 4)) as amount,
    from delivered
    {{ join_utc_offsets('ordered_offsets', 'delivered.timezone', 'delivered.ordered_at_text') }}
    {{ join_utc_offsets('updated_offsets', 'delivered.timezone', 'delivered.updated_at_text') }}
),

examined as (
    select
        *,
        {{ refuse_missing('order_id') }} as order_id_refusal,
        case when user_id is null and account_id is null then 'no_subject' end as user_id_refusal,
        coalesce(
            {{ refuse_missing('amount_text') }},
            {{ refuse_unread('amount_text', 'amount', 'unreadable_number') }}
        ) as amount_refusal,
        coalesce(
            {{ refuse_missing('ordered_at_text') }},
            {{ refuse_instant('ordered_at_text', 'ordered_at', 'plausible_until') }}
        ) as ordered_at_refusal,
        {{ refuse_instant('updated_at_text', 'updated_at', 'plausible_until') }}
            as updated_at_refusal,
    from converted
),

judged as (
    select
        *,
        {{ content_hash([
            'source', 'order_id', 'order_number', 'user_id', 'account_id', 'status', 'currency',
            'amount', 'ordered_at', 'updated_at', 'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'order_id': 'order_id',
            'user_id': 'user_id',
            'amount': 'amount_text',
            'ordered_at': 'ordered_at_text',
            'updated_at': 'updated_at_text',
        }) }},
    from examined
),

versions as (
    {{ keyed_row_status('judged', 'order_id') }}
)

select
    source,
    order_id,
    order_number,
    user_id,
    account_id,
    status,
    currency,
    further_columns,
    row_status,
    is_ambiguous_time,
    ordered_at,
    updated_at,
    delivered_at,
    amount,
    source_file,
    source_row,
    {{ or_key_conflict('order_id') }},
from versions
