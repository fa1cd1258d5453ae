with

sightings as (
    select
        source,
        anonymous_id,
        user_id,
        email_hash,
        first_seen_at,
        source_file,
        source_row,
    from {{ ref('int_identity_sightings') }}
),

contacts as (
    select
        source,
        contact_id,
        user_id,
        merged_into_id,
        email_hash,
        created_at,
        source_file,
        source_row,
    from {{ ref('int_identity_contacts') }}
),

records as (
    select
        source,
        record_id,
        email_hash,
        converted_record_id,
        merged_into_id,
        created_at,
        source_file,
        source_row,
    from {{ ref('int_identity_records') }}
),

device_users as (
    select
        'anonymous_id' as identifier_type,
        anonymous_id as identifier,
        'user_id' as tied_type,
        user_id as tied_identifier,
        'event' as evidence,
        source,
        first_seen_at as tied_at,
        source_file,
        source_row,
    from sightings
    where anonymous_id is not null and user_id is not null
),

user_emails as (
    select
        'user_id' as identifier_type,
        user_id as identifier,
        'email' as tied_type,
        email_hash as tied_identifier,
        'event' as evidence,
        source,
        first_seen_at as tied_at,
        source_file,
        source_row,
    from sightings
    where user_id is not null and email_hash is not null
),

-- Where a user is named, the address is that of the user, whoever else shares the device.
device_emails as (
    select
        'anonymous_id' as identifier_type,
        anonymous_id as identifier,
        'email' as tied_type,
        email_hash as tied_identifier,
        'event' as evidence,
        source,
        first_seen_at as tied_at,
        source_file,
        source_row,
    from sightings
    where anonymous_id is not null and user_id is null and email_hash is not null
),

contact_users as (
    select
        'contact_id' as identifier_type,
        contact_id as identifier,
        'user_id' as tied_type,
        user_id as tied_identifier,
        'contact' as evidence,
        source,
        created_at as tied_at,
        source_file,
        source_row,
    from contacts
    where user_id is not null
),

contact_emails as (
    select
        'contact_id' as identifier_type,
        contact_id as identifier,
        'email' as tied_type,
        email_hash as tied_identifier,
        'contact' as evidence,
        source,
        created_at as tied_at,
        source_file,
        source_row,
    from contacts
    where email_hash is not null
),

merged_contacts as (
    select
        'contact_id' as identifier_type,
        least(contact_id, merged_into_id) as identifier,
        'contact_id' as tied_type,
        greatest(contact_id, merged_into_id) as tied_identifier,
        'merge' as evidence,
        source,
        created_at as tied_at,
        source_file,
        source_row,
    from contacts
    where merged_into_id is not null
),

record_emails as (
    select
        'record_id' as identifier_type,
        record_id as identifier,
        'email' as tied_type,
        email_hash as tied_identifier,
        'record' as evidence,
        source,
        created_at as tied_at,
        source_file,
        source_row,
    from records
    where email_hash is not null
),

merged_records as (
    select
        'record_id' as identifier_type,
        least(record_id, merged_into_id) as identifier,
        'record_id' as tied_type,
        greatest(record_id, merged_into_id) as tied_identifier,
        'merge' as evidence,
        source,
        created_at as tied_at,
        source_file,
        source_row,
    from records
    where merged_into_id is not null
),

-- A deal that has an address of its own may be with another person than the lead was.
converted_records as (
    select
        'record_id' as identifier_type,
        least(records.record_id, converted.record_id) as identifier,
        'record_id' as tied_type,
        greatest(records.record_id, converted.record_id) as tied_identifier,
        'conversion' as evidence,
        records.source,
        converted.created_at as tied_at,
        records.source_file,
        records.source_row,
    from records
    inner join records as converted
        on records.converted_record_id = converted.record_id
    where
        converted.email_hash is null
        and records.record_id != converted.record_id
),

all_ties as (
    select * from device_users
    union all
    select * from user_emails
    union all
    select * from device_emails
    union all
    select * from contact_users
    union all
    select * from contact_emails
    union all
    select * from merged_contacts
    union all
    select * from record_emails
    union all
    select * from merged_records
    union all
    select * from converted_records
)

select
    identifier_type,
    identifier,
    tied_type,
    tied_identifier,
    evidence,
    source,
    source_file,
    source_row,
    tied_at,
from all_ties
qualify row_number() over (
    partition by identifier_type, identifier, tied_type, tied_identifier
    order by tied_at nulls last, source, evidence, source_file, source_row
) = 1
