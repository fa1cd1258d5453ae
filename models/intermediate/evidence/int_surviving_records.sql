with

run as (
    select as_of from {{ ref('int_run') }}
),

records as (
    select
        source,
        record_id,
        record_type,
        pipeline,
        created_at,
        closed_at,
        stage,
        amount,
        currency,
        owner_id,
        account_id,
        email_hash,
        loss_reason,
        is_deleted,
        expected_close_date,
        deleted_at,
        attributes,
        source_file,
        source_row,
    from {{ ref('stg_records') }}
),

survivors as (
    select
        record_id,
        surviving_record_id,
    from {{ ref('int_record_survivors') }}
)

select
    records.source,
    records.record_id,
    records.record_type,
    records.pipeline,
    records.stage,
    records.currency,
    records.owner_id,
    records.account_id,
    records.email_hash,
    records.loss_reason,
    records.attributes,
    records.source_file,
    records.source_row,
    records.expected_close_date,
    -- A deletion that nobody dated holds for every as-of.
    records.is_deleted and coalesce(records.deleted_at < run.as_of, true) as is_deleted,
    records.created_at,
    records.closed_at,
    records.deleted_at,
    records.amount,
from records
inner join survivors
    on
        records.record_id = survivors.record_id
        and records.record_id = survivors.surviving_record_id
cross join run
where records.created_at is null or records.created_at < run.as_of
