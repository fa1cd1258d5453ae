with

orders as (
    select * from {{ salesforce_current_rows('order') }}
)

-- A reduction takes something back from an order, and is none.
select
    id as order_id,
    coalesce(order_reference_number, order_number) as order_number,
    coalesce(
        activated_date,
        {{ between_days_of(
            'effective_date',
            'cast(null as ' ~ dbt.type_string() ~ ')',
            'coalesce(last_modified_date, system_modstamp)'
        ) }},
        created_date
    ) as ordered_at,
    total_amount as amount,
    currency_iso_code as currency,
    account_id,
    status,
    {{ salesforce_updated_at() }} as updated_at,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    true as _is_current,
from orders
where
    not {{ salesforce_is_deleted() }}
    and not coalesce(try_cast(is_reduction_order as boolean), false)
