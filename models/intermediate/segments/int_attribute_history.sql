with

run as (
    select as_of from {{ ref('int_run') }}
),

declared_attributes as (
    select attribute
    from {{ ref('stg_declared_attributes') }}
),

-- The rest of what records are delivered with is no attribute of theirs, or no text to compare.
attributes as (
    select attribute
    from declared_attributes
    where
        attribute not in (
            'record_id', 'name', 'contact_email', 'is_deleted', 'created_at', 'closed_at',
            'deleted_at', 'updated_at'
        )
        and lower(attribute) not in (
            {%- for key in personal_keys() %}
                '{{ key }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
),

survivors as (
    select
        record_id,
        surviving_record_id,
    from {{ ref('int_record_survivors') }}
),

field_changes as (
    select
        field_changes.source,
        coalesce(survivors.surviving_record_id, field_changes.record_id) as record_id,
        field_changes.record_type,
        field_changes.field_name as attribute,
        field_changes.old_value,
        field_changes.new_value,
        field_changes.changed_at,
        row_number() over by_attribute as change_number,
        lead(field_changes.changed_at) over by_attribute as next_changed_at,
    from {{ ref('stg_field_changes') }} as field_changes
    inner join attributes
        on field_changes.field_name = attributes.attribute
    left join survivors
        on field_changes.record_id = survivors.record_id
    window by_attribute as (
        partition by
            coalesce(survivors.surviving_record_id, field_changes.record_id),
            field_changes.field_name
        order by field_changes.changed_at, field_changes.source_file, field_changes.source_row
    )
),

-- What was before a change is known from it, also from one that is not known itself yet.
delivered_values as (
    select
        source,
        record_id,
        record_type,
        attribute,
        old_value as delivered_value,
        timestamp '0001-01-01' as known_from,
    from field_changes
    where change_number = 1

    union all

    select
        field_changes.source,
        field_changes.record_id,
        field_changes.record_type,
        field_changes.attribute,
        field_changes.new_value as delivered_value,
        field_changes.changed_at as known_from,
    from field_changes
    cross join run
    where
        field_changes.changed_at < run.as_of
        -- Of several changes at one instant, the last one says what follows.
        and field_changes.next_changed_at is distinct from field_changes.changed_at
),

numbers as (
    select
        *,
        try_cast(delivered_value as decimal(18, 4)) as amount,
    from delivered_values
)

select
    record_id,
    record_type,
    attribute,
    -- As the attributes of records spell it.
    case
        when attribute in ('owner_id', 'account_id', 'converted_record_id', 'merged_into_id')
            then {{ prefixed_id('delivered_value', 'source') }}
        when attribute = 'currency' then upper(delivered_value)
        when attribute = 'record_type' then lower(delivered_value)
        when attribute = 'amount' then {{ json_text(json_object_of(['amount']), 'amount') }}
        when attribute = 'expected_close_date'
            then cast(try_cast(delivered_value as date) as string)
        else delivered_value
    end as attribute_value,
    known_from,
from numbers
