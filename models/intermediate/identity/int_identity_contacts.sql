with

run as (
    select as_of from {{ ref('int_run') }}
),

contacts as (
    select
        source,
        contact_id,
        account_id,
        user_id,
        merged_into_id,
        email_hash,
        is_role_address,
        is_deleted,
        created_at,
        deleted_at,
        updated_at,
        source_file,
        source_row,
    from {{ ref('stg_contacts') }}
)

select
    contacts.source,
    contacts.contact_id,
    contacts.account_id,
    contacts.user_id,
    survivors.contact_id as merged_into_id,
    contacts.email_hash,
    contacts.is_role_address,
    contacts.created_at,
    contacts.updated_at,
    contacts.source_file,
    contacts.source_row,
from contacts
left join contacts as survivors
    on
        contacts.merged_into_id = survivors.contact_id
        and contacts.contact_id != survivors.contact_id
cross join run
where
    (contacts.created_at is null or contacts.created_at < run.as_of)
    -- What was merged is deleted in most systems, and still is who it was merged into.
    and (
        survivors.contact_id is not null
        or not contacts.is_deleted
        or contacts.deleted_at >= run.as_of
    )
