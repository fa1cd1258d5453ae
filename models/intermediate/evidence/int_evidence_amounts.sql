{{ config(materialized='view') }}

with

source_files as (
    select
        source_file,
        file_number,
    from {{ ref('int_source_files') }}
),

events as (
    select
        source_file,
        source_row,
        properties,
    from {{ ref('stg_events') }}
    where properties is not null
),

purchases as (
    select
        source_file,
        source_row,
        amount,
        currency,
    from {{ ref('int_purchases') }}
)

select
    source_files.file_number,
    events.source_row,
    try_cast({{ json_text('properties', 'amount') }} as decimal(18, 4)) as amount,
    {{ json_text('properties', 'currency') }} as currency,
    {{ json_text('properties', 'loss_reason') }} as loss_reason,
from events
inner join source_files
    on events.source_file = source_files.source_file

union all

select
    source_files.file_number,
    purchases.source_row,
    purchases.amount,
    purchases.currency,
    cast(null as varchar) as loss_reason,
from purchases
inner join source_files
    on purchases.source_file = source_files.source_file
