with

limits as (
    select
        identifier_type,
        tied_type,
        max_tied,
    from {{ ref('identity_limits') }}
),

sightings as (
    select
        email_hash,
        is_role_address,
    from {{ ref('int_identity_sightings') }}
),

contacts as (
    select
        user_id,
        email_hash,
        is_role_address,
    from {{ ref('int_identity_contacts') }}
),

records as (
    select
        email_hash,
        is_role_address,
    from {{ ref('int_identity_records') }}
),

ties as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
    from {{ ref('int_identity_ties') }}
),

role_emails as (
    select email_hash from sightings
    where is_role_address and email_hash is not null
    union
    select email_hash from contacts
    where is_role_address and email_hash is not null
    union
    select email_hash from records
    where is_role_address and email_hash is not null
),

both_ways as (
    select
        identifier_type,
        identifier,
        tied_type,
        tied_identifier,
    from ties
    union all
    select
        tied_type as identifier_type,
        tied_identifier as identifier,
        identifier_type as tied_type,
        identifier as tied_identifier,
    from ties
),

-- An address of a role is nobody's own, and so no sign that a device or a login is shared either.
own_ties as (
    select both_ways.*
    from both_ways
    left join role_emails
        on
            case when both_ways.tied_type = 'email' then both_ways.tied_identifier end
            = role_emails.email_hash
    where role_emails.email_hash is null
),

known_user_emails as (
    select
        identifier as user_id,
        tied_identifier as email_hash,
    from own_ties
    where identifier_type = 'user_id' and tied_type = 'email'
    union
    select
        user_id,
        email_hash,
    from contacts
    where user_id is not null and email_hash is not null
),

device_users as (
    select
        identifier as anonymous_id,
        tied_identifier as user_id,
    from own_ties
    where identifier_type = 'anonymous_id' and tied_type = 'user_id'
),

device_user_emails as (
    select distinct
        device_users.anonymous_id,
        known_user_emails.email_hash,
    from device_users
    inner join known_user_emails
        on device_users.user_id = known_user_emails.user_id
),

devices_of_known_users as (
    select distinct anonymous_id from device_user_emails
),

device_emails as (
    select
        identifier as anonymous_id,
        tied_identifier as email_hash,
    from own_ties
    where identifier_type = 'anonymous_id' and tied_type = 'email'
),

-- The addresses of a device's own users are one: somebody may have two. What was given on it
-- without a user, and is none of theirs, is somebody else's.
device_strangers as (
    select
        device_emails.anonymous_id,
        count(*) filter (where device_user_emails.email_hash is null)
        + max(case when devices_of_known_users.anonymous_id is not null then 1 else 0 end)
            as tied_identifiers,
    from device_emails
    left join device_user_emails
        on
            device_emails.anonymous_id = device_user_emails.anonymous_id
            and device_emails.email_hash = device_user_emails.email_hash
    left join devices_of_known_users
        on device_emails.anonymous_id = devices_of_known_users.anonymous_id
    group by device_emails.anonymous_id
),

tied_counts as (
    select
        identifier_type,
        identifier,
        tied_type,
        count(*) as tied_identifiers,
    from own_ties
    where
        identifier_type in ('anonymous_id', 'user_id', 'email')
        and not (identifier_type = 'anonymous_id' and tied_type = 'email')
    group by all

    union all

    select
        'anonymous_id' as identifier_type,
        anonymous_id as identifier,
        'email' as tied_type,
        tied_identifiers,
    from device_strangers
),

role_counts as (
    select
        both_ways.identifier,
        both_ways.tied_type,
        count(*) as tied_identifiers,
    from both_ways
    inner join role_emails
        on both_ways.identifier = role_emails.email_hash
    where both_ways.identifier_type = 'email'
    group by all
)

select
    'email' as identifier_type,
    identifier,
    'role_address' as reason,
    tied_type,
    tied_identifiers,
    cast(null as integer) as max_tied,
from role_counts

union all

select
    tied_counts.identifier_type,
    tied_counts.identifier,
    'limit' as reason,
    tied_counts.tied_type,
    tied_counts.tied_identifiers,
    limits.max_tied,
from tied_counts
inner join limits
    on
        tied_counts.identifier_type = limits.identifier_type
        and tied_counts.tied_type = limits.tied_type
        and tied_counts.tied_identifiers > limits.max_tied
left join role_emails
    on
        case when tied_counts.identifier_type = 'email' then tied_counts.identifier end
        = role_emails.email_hash
where role_emails.email_hash is null
