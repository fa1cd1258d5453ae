{{ config(materialized='table') }}

with

activities as (
    select * from {{ ref('delivered_activities') }}
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

occurred_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

updated_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

delivered as (
    select
        activities._source as source,
        {{ prefixed_id('activities.activity_id', 'activities._source') }} as activity_id,
        {{ prefixed_id('activities.record_id', 'activities._source') }} as record_id,
        {{ prefixed_id('activities.contact_id', 'activities._source') }} as contact_id,
        {{ prefixed_id('activities.owner_id', 'activities._source') }} as owner_id,
        {{ clean_text('activities.activity_type') }} as activity_type,
        {{ clean_text('activities.occurred_at') }} as occurred_at_text,
        {{ clean_text('activities.updated_at') }} as updated_at_text,
        {{ json_without_keys('activities._extra', personal_keys()) }} as further_columns,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(activities._is_current, false) as is_current,
        activities._delivered_at as delivered_at,
        deliveries.last_delivered_at,
        activities._plausible_until as plausible_until,
        activities._file as source_file,
        activities._row as source_row,
    from activities
    left join sources
        on activities._source = sources.source
    left join deliveries
        on activities._load_id = deliveries.load_id
),

converted as (
    select
        delivered.*,
        {{ to_utc('delivered.occurred_at_text', 'occurred_offsets') }} as occurred_at,
        {{ to_utc('delivered.updated_at_text', 'updated_offsets') }} as updated_at,
        {{ is_ambiguous_time('delivered.occurred_at_text', 'occurred_offsets') }}
        or {{ is_ambiguous_time('delivered.updated_at_text', 'updated_offsets') }}
            as is_ambiguous_time,
    from delivered
    {{ join_utc_offsets('occurred_offsets', 'delivered.timezone', 'delivered.occurred_at_text') }}
    {{ join_utc_offsets('updated_offsets', 'delivered.timezone', 'delivered.updated_at_text') }}
),

examined as (
    select
        *,
        {{ refuse_missing('activity_id') }} as activity_id_refusal,
        {{ refuse_missing('activity_type') }} as activity_type_refusal,
        case when record_id is null and contact_id is null then 'no_subject' end
            as record_id_refusal,
        coalesce(
            {{ refuse_missing('occurred_at_text') }},
            {{ refuse_instant('occurred_at_text', 'occurred_at', 'plausible_until') }}
        ) as occurred_at_refusal,
        {{ refuse_instant('updated_at_text', 'updated_at', 'plausible_until') }}
            as updated_at_refusal,
    from converted
),

judged as (
    select
        *,
        {{ content_hash([
            'source', 'activity_id', 'record_id', 'contact_id', 'owner_id', 'activity_type',
            'occurred_at', 'updated_at', 'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'activity_id': 'activity_id',
            'activity_type': 'activity_type',
            'record_id': 'record_id',
            'occurred_at': 'occurred_at_text',
            'updated_at': 'updated_at_text',
        }) }},
    from examined
),

versions as (
    {{ keyed_row_status('judged', 'activity_id') }}
)

select
    source,
    activity_id,
    record_id,
    contact_id,
    owner_id,
    activity_type,
    further_columns,
    row_status,
    is_ambiguous_time,
    occurred_at,
    updated_at,
    delivered_at,
    source_file,
    source_row,
    {{ or_key_conflict('activity_id') }},
from versions
