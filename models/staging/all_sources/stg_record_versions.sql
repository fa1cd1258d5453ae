with

records as (
    select * from {{ ref('base_records') }}
    where
        quarantine_reason is null
        and not is_contradicted
),

deliveries as (
    select
        delivery_number,
        load_id,
        delivered_at,
    from {{ source('raw', 'deliveries') }}
),

loads as (
    select
        load_id,
        file,
        is_current,
    from {{ source('raw', 'loads') }}
),

last_deliveries as (
    select
        loads.file,
        max(deliveries.delivery_number) as delivery_number,
    from deliveries
    inner join loads
        on deliveries.load_id = loads.load_id
    group by loads.file
),

-- What lies under a path and does not count is a copy of what counts under another: no news.
copied_loads as (
    select loads.load_id
    from last_deliveries
    inner join deliveries
        on last_deliveries.delivery_number = deliveries.delivery_number
    inner join loads
        on deliveries.load_id = loads.load_id
    where not loads.is_current
),

delivered_records as (
    select
        records.source,
        records.record_id,
        records.stage,
        records.currency,
        records.owner_id,
        records.expected_close_date,
        records.updated_at,
        records.amount,
        deliveries.delivery_number,
        deliveries.delivered_at,
        records.source_file,
        records.source_row,
    from records
    inner join deliveries
        on records.load_id = deliveries.load_id
    where records.load_id not in (select copied_loads.load_id from copied_loads)
)

select
    source,
    record_id,
    delivery_number,
    stage,
    currency,
    owner_id,
    expected_close_date,
    updated_at,
    delivered_at,
    amount,
    source_file,
    source_row,
from delivered_records
qualify row_number() over (
    partition by record_id, delivery_number
    order by updated_at desc nulls last, source_row desc
) = 1
