with

opportunity_field_history as (
    select * from {{ source('salesforce', 'opportunity_field_history') }}
),

lead_history as (
    select * from {{ source('salesforce', 'lead_history') }}
),

record_types as (
    select
        _source,
        id,
        name,
    from {{ salesforce_current_rows('record_type') }}
),

declared_attributes as (
    select distinct attribute
    from {{ ref('stg_declared_attributes') }}
),

histories as (
    select
        'opportunity' as record_type,
        opportunity_id as record_id,
        {{ snake_case('field') }} as field_name,
        old_value,
        new_value,
        data_type,
        created_date,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from opportunity_field_history

    union all

    select
        'lead' as record_type,
        lead_id as record_id,
        {{ snake_case('field') }} as field_name,
        old_value,
        new_value,
        data_type,
        created_date,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from lead_history
),

named_histories as (
    select
        *,
        case
            when record_type = 'opportunity' and field_name = 'stage_name' then 'stage'
            when record_type = 'lead' and field_name = 'status' then 'stage'
            when field_name = 'close_date' then 'expected_close_date'
            when field_name = 'owner' then 'owner_id'
            when field_name in ('account', 'converted_account_id') then 'account_id'
            when field_name in ('record_type', 'record_type_id') then 'pipeline'
            when field_name = 'currency_iso_code' then 'currency'
            when field_name = 'converted_opportunity_id' then 'converted_record_id'
            when field_name = 'region_c' then 'region'
            when field_name in ('loss_reason_c', 'lost_reason_c', 'closed_lost_reason_c')
                then 'loss_reason'
            else field_name
        end as field,
        coalesce(
            data_type = 'EntityId',
            {{ matches_regex(
                'coalesce(new_value, old_value)', "'^[0a][0-9A-Za-z]{14}([0-9A-Za-z]{3})?$'"
            ) }}
        ) as has_ids,
    from histories
)

select
    histories.record_type,
    histories.record_id,
    -- A company's own field may be named without its `_c`, as among the attributes of records.
    case
        when declared_attributes.attribute is null
            then coalesce(custom_attributes.attribute, histories.field)
        else histories.field
    end as field,
    case
        when histories.field = 'pipeline' then coalesce(old_types.name, histories.old_value)
        else histories.old_value
    end as old_value,
    case
        when histories.field = 'pipeline' then coalesce(new_types.name, histories.new_value)
        else histories.new_value
    end as new_value,
    histories.created_date as changed_at,
    histories._source,
    histories._file,
    histories._row,
    histories._load_id,
    histories._delivered_at,
    histories._plausible_until,
    histories._is_current,
from named_histories as histories
left join record_types as old_types
    on
        histories._source = old_types._source
        and histories.old_value = old_types.id
left join record_types as new_types
    on
        histories._source = new_types._source
        and histories.new_value = new_types.id
left join declared_attributes
    on histories.field = declared_attributes.attribute
left join declared_attributes as custom_attributes
    on histories.field = custom_attributes.attribute || '_c'
where
    not {{ names_personal_word('histories.field_name') }}
    -- Of these Salesforce writes each change twice, once in ids and once in names.
    and (histories.field not in ('owner_id', 'account_id', 'pipeline') or histories.has_ids)
