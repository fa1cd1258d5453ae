{{ config(materialized='table') }}

with

stage_changes as (
    select * from {{ ref('delivered_stage_changes') }}
),

sources as (
    select
        source,
        timezone,
    from {{ ref('sources') }}
),

changed_offsets as (
    select * from {{ ref('stg_time_zones__utc_offsets') }}
),

delivered as (
    select
        stage_changes._source as source,
        {{ prefixed_id('stage_changes.record_id', 'stage_changes._source') }} as record_id,
        lower({{ clean_text('stage_changes.record_type') }}) as record_type,
        {{ clean_text('stage_changes.stage') }} as stage,
        {{ clean_text('stage_changes.previous_stage') }} as previous_stage,
        {{ prefixed_id('stage_changes.owner_id', 'stage_changes._source') }} as owner_id,
        {{ clean_text('stage_changes.amount') }} as amount_text,
        {{ clean_text('stage_changes.changed_at') }} as changed_at_text,
        {{ json_without_keys('stage_changes._extra', personal_keys()) }} as further_columns,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(stage_changes._is_current, false) as is_current,
        stage_changes._delivered_at as delivered_at,
        stage_changes._plausible_until as plausible_until,
        stage_changes._file as source_file,
        stage_changes._row as source_row,
    from stage_changes
    left join sources
        on stage_changes._source = sources.source
),

converted as (
    select
        delivered.*,
        {{ to_utc('delivered.changed_at_text', 'changed_offsets') }} as changed_at,
        {{ is_ambiguous_time('delivered.changed_at_text', 'changed_offsets') }}
            as is_ambiguous_time,
        try_cast(delivered.amount_text as decimal(18, 4)) as amount,
    from delivered
    {{ join_utc_offsets('changed_offsets', 'delivered.timezone', 'delivered.changed_at_text') }}
),

examined as (
    select
        *,
        {{ refuse_missing('record_id') }} as record_id_refusal,
        {{ refuse_missing('stage') }} as stage_refusal,
        case when record_type not in ('lead', 'opportunity') then 'unknown_record_type' end
            as record_type_refusal,
        {{ refuse_unread('amount_text', 'amount', 'unreadable_number') }} as amount_refusal,
        coalesce(
            {{ refuse_missing('changed_at_text') }},
            {{ refuse_instant('changed_at_text', 'changed_at', 'plausible_until') }}
        ) as changed_at_refusal,
    from converted
),

judged as (
    select
        *,
        {{ content_hash([
            'source', 'record_id', 'record_type', 'stage', 'previous_stage', 'owner_id', 'amount',
            'changed_at', 'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'record_id': 'record_id',
            'stage': 'stage',
            'record_type': 'record_type',
            'amount': 'amount_text',
            'changed_at': 'changed_at_text',
        }) }},
    from examined
),

copies as (
    {{ unkeyed_row_status('judged') }}
)

select
    source,
    record_id,
    record_type,
    stage,
    previous_stage,
    owner_id,
    further_columns,
    row_status,
    is_ambiguous_time,
    changed_at,
    delivered_at,
    amount,
    source_file,
    source_row,
    quarantine_column,
    quarantine_reason,
    expected,
    text,
from copies
