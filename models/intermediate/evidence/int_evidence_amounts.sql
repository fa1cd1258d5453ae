with

events as (
    select
        source_file,
        source_row,
        properties,
    from {{ ref('stg_generic__events') }}
    where properties is not null
),

orders as (
    select
        source_file,
        source_row,
        amount,
        currency,
    from {{ ref('stg_generic__orders') }}
)

select
    source_file,
    source_row,
    try_cast({{ json_text('properties', 'amount') }} as decimal(18, 4)) as amount,
    {{ json_text('properties', 'currency') }} as currency,
    {{ json_text('properties', 'loss_reason') }} as loss_reason,
from events

union all

select
    source_file,
    source_row,
    amount,
    currency,
    cast(null as varchar) as loss_reason,
from orders
