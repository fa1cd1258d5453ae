with

run as (
    select as_of from {{ ref('int_run') }}
),

-- What was merged into a deal had an amount of its own, which is not the deal's.
deals as (
    select record_id from {{ ref('int_surviving_records') }}
    where record_type = 'opportunity'
),

field_changes as (
    select
        field_changes.record_id,
        field_changes.source,
        field_changes.field_name as attribute,
        field_changes.old_value,
        field_changes.new_value,
        field_changes.changed_at,
        field_changes.source_file,
        field_changes.source_row,
    from {{ ref('stg_field_changes') }} as field_changes
    inner join deals
        on field_changes.record_id = deals.record_id
    where
        field_changes.field_name in ('amount', 'currency', 'owner_id', 'expected_close_date')
),

-- What was before a change is known from it, also from one that is not known itself yet.
first_changes as (
    select * from field_changes
    qualify row_number() over (
        partition by record_id, attribute
        order by changed_at, source_file, source_row
    ) = 1
),

delivered_values as (
    select
        record_id,
        source,
        attribute,
        old_value as delivered_value,
        timestamp '0001-01-01' as seen_at,
        source_file,
        source_row,
    from first_changes

    union all

    select
        record_id,
        source,
        attribute,
        new_value as delivered_value,
        changed_at as seen_at,
        source_file,
        source_row,
    from field_changes
),

changed_values as (
    select
        record_id,
        attribute,
        case attribute
            when 'owner_id' then {{ prefixed_id('delivered_value', 'source') }}
            when 'currency' then upper(delivered_value)
            when 'amount'
                then cast(try_cast(delivered_value as decimal(18, 4)) as {{ dbt.type_string() }})
            else cast(try_cast(delivered_value as date) as {{ dbt.type_string() }})
        end as attribute_value,
        seen_at,
        1 as precedence,
        source_file,
        source_row,
    from delivered_values
),

attributes_with_changes as (
    select distinct
        record_id,
        attribute,
    from field_changes
),

stage_changes as (
    select
        record_id,
        cast(amount as {{ dbt.type_string() }}) as amount,
        owner_id,
        changed_at,
        source_file,
        source_row,
    from {{ ref('stg_stage_changes') }}
),

-- A version is of when the record was changed, where it says so; else of when it came.
record_versions as (
    select
        record_id,
        cast(amount as {{ dbt.type_string() }}) as amount,
        currency,
        owner_id,
        cast(expected_close_date as {{ dbt.type_string() }}) as expected_close_date,
        coalesce(updated_at, delivered_at) as seen_at,
        2 as precedence,
        source_file,
        source_row,
    from {{ ref('stg_record_versions') }}
),

-- What the record is now, it is by the as-of at the latest.
current_versions as (
    select
        records.record_id,
        cast(records.amount as {{ dbt.type_string() }}) as amount,
        records.currency,
        records.owner_id,
        cast(records.expected_close_date as {{ dbt.type_string() }}) as expected_close_date,
        least(
            coalesce(records.updated_at, records.delivered_at),
            {{ seconds_later('run.as_of', -1) }}
        ) as seen_at,
        3 as precedence,
        records.source_file,
        records.source_row,
    from {{ ref('stg_records') }} as records
    cross join run
),

versions as (
    select * from record_versions
    union all
    select * from current_versions
),

shown_values as (
    select
        record_id,
        'amount' as attribute,
        amount as attribute_value,
        changed_at as seen_at,
        1 as precedence,
        source_file,
        source_row,
    from stage_changes
    where amount is not null

    union all

    select
        record_id,
        'owner_id' as attribute,
        owner_id as attribute_value,
        changed_at as seen_at,
        1 as precedence,
        source_file,
        source_row,
    from stage_changes
    where owner_id is not null

    {% for attribute in ['amount', 'currency', 'owner_id', 'expected_close_date'] %}
        union all

        select
            record_id,
            '{{ attribute }}' as attribute,
            {{ attribute }} as attribute_value,
            seen_at,
            precedence,
            source_file,
            source_row,
        from versions
    {% endfor %}
),

-- Where the changes of a field are told, they tell all of them.
seen_values as (
    select * from changed_values

    union all

    select shown_values.*
    from shown_values
    inner join deals
        on shown_values.record_id = deals.record_id
    left join attributes_with_changes
        on
            shown_values.record_id = attributes_with_changes.record_id
            and shown_values.attribute = attributes_with_changes.attribute
    where attributes_with_changes.record_id is null
),

-- Of several at one instant, the last one says what follows.
known_values as (
    select
        seen_values.record_id,
        seen_values.attribute,
        seen_values.attribute_value,
        seen_values.seen_at,
    from seen_values
    cross join run
    where seen_values.seen_at < run.as_of
    qualify row_number() over (
        partition by seen_values.record_id, seen_values.attribute, seen_values.seen_at
        order by
            seen_values.precedence desc,
            seen_values.source_file desc,
            seen_values.source_row desc
    ) = 1
),

compared_values as (
    select
        *,
        row_number() over by_attribute as value_number,
        lag(attribute_value) over by_attribute as previous_value,
    from known_values
    window by_attribute as (
        partition by record_id, attribute
        order by seen_at
    )
)

select
    record_id,
    attribute,
    attribute_value,
    case when value_number = 1 then timestamp '0001-01-01' else seen_at end as known_from,
from compared_values
where value_number = 1 or attribute_value is distinct from previous_value
