{{ config(materialized='table') }}

with

field_changes as (
    select * from {{ ref('delivered_field_changes') }}
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
        field_changes._source as source,
        {{ prefixed_id('field_changes.record_id', 'field_changes._source') }} as record_id,
        lower({{ clean_text('field_changes.record_type') }}) as record_type,
        {{ clean_text('field_changes.field') }} as field_name,
        {{ clean_text('field_changes.old_value') }} as old_value,
        {{ clean_text('field_changes.new_value') }} as new_value,
        {{ clean_text('field_changes.changed_at') }} as changed_at_text,
        {{ json_without_keys('field_changes._extra', personal_keys()) }} as further_columns,
        lower({{ clean_text('field_changes.field') }}) in (
            {%- for key in personal_keys() %}
                '{{ key }}'{{ ',' if not loop.last }}
            {%- endfor %}
        ) as is_personal,
        coalesce(sources.timezone, 'UTC') as timezone,
        coalesce(field_changes._is_current, false) as is_current,
        field_changes._delivered_at as delivered_at,
        field_changes._plausible_until as plausible_until,
        field_changes._file as source_file,
        field_changes._row as source_row,
    from field_changes
    left join sources
        on field_changes._source = sources.source
),

converted as (
    select
        delivered.*,
        {{ to_utc('delivered.changed_at_text', 'changed_offsets') }} as changed_at,
        {{ is_ambiguous_time('delivered.changed_at_text', 'changed_offsets') }}
            as is_ambiguous_time,
    from delivered
    {{ join_utc_offsets('changed_offsets', 'delivered.timezone', 'delivered.changed_at_text') }}
),

examined as (
    select
        *,
        {{ refuse_missing('record_id') }} as record_id_refusal,
        {{ refuse_missing('field_name') }} as field_refusal,
        case when record_type not in ('lead', 'opportunity') then 'unknown_record_type' end
            as record_type_refusal,
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
            'source', 'record_id', 'record_type', 'field_name', 'old_value', 'new_value',
            'changed_at', 'further_columns',
        ]) }} as content_hash,
        {{ quarantine_columns({
            'record_id': 'record_id',
            'field': 'field_name',
            'record_type': 'record_type',
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
    field_name,
    case when is_personal then {{ hash_email('old_value') }} else old_value end as old_value,
    case when is_personal then {{ hash_email('new_value') }} else new_value end as new_value,
    further_columns,
    row_status,
    is_ambiguous_time,
    changed_at,
    delivered_at,
    source_file,
    source_row,
    quarantine_column,
    quarantine_reason,
    expected,
    text,
from copies
