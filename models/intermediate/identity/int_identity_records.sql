with

run as (
    select as_of from {{ ref('int_run') }}
),

records as (
    select
        source,
        record_id,
        record_type,
        account_id,
        email_hash,
        is_role_address,
        converted_record_id,
        created_at,
        updated_at,
        source_file,
        source_row,
    from {{ ref('stg_records') }}
),

survivors as (
    select
        record_id,
        surviving_record_id,
    from {{ ref('int_record_survivors') }}
),

surviving_records as (
    select record_id
    from {{ ref('int_surviving_records') }}
    where not is_deleted
),

record_stages as (
    select
        record_id,
        min(entered_at) as first_entered_at,
    from {{ ref('int_record_stages') }}
    group by record_id
)

select
    records.source,
    records.record_id,
    records.record_type,
    records.account_id,
    records.email_hash,
    records.is_role_address,
    records.converted_record_id,
    nullif(survivors.surviving_record_id, records.record_id) as merged_into_id,
    records.created_at,
    records.updated_at,
    case
        when record_stages.first_entered_at < run.as_of
            then least(
                coalesce(records.created_at, record_stages.first_entered_at),
                record_stages.first_entered_at
            )
        else records.created_at
    end as first_seen_at,
    records.source_file,
    records.source_row,
from records
inner join survivors
    on records.record_id = survivors.record_id
inner join surviving_records
    on survivors.surviving_record_id = surviving_records.record_id
left join record_stages
    on records.record_id = record_stages.record_id
cross join run
where
    (records.created_at is null or records.created_at < run.as_of)
    -- Of leads that were merged the CRM says that they are one person; of deals, that they are one
    -- deal, which another person may have begun.
    and (records.record_type = 'lead' or records.record_id = survivors.surviving_record_id)
