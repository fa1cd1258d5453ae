with

run as (
    select as_of from {{ ref('int_run') }}
),

person_identifiers as (
    select
        identifier_type,
        identifier,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type != 'anonymous_id'
),

told_accounts as (
    select
        'contact_id' as identifier_type,
        contact_id as identifier,
        source,
        account_id,
        coalesce(updated_at, created_at) as told_at,
    from {{ ref('int_identity_contacts') }}
    where account_id is not null
    union all
    select
        'record_id' as identifier_type,
        record_id as identifier,
        source,
        account_id,
        coalesce(updated_at, created_at) as told_at,
    from {{ ref('int_identity_records') }}
    where account_id is not null
    union all
    select
        'user_id' as identifier_type,
        orders.user_id as identifier,
        orders.source,
        orders.account_id,
        orders.ordered_at as told_at,
    from {{ ref('stg_orders') }} as orders
    cross join run
    where
        orders.account_id is not null
        and orders.user_id is not null
        and orders.ordered_at < run.as_of
)

select
    person_identifiers.person_id,
    told_accounts.account_id,
    min(told_accounts.source) as source,
    -- A contact belongs to an account; a deal or an order may be for another than one's own.
    bool_or(told_accounts.identifier_type = 'contact_id') as is_told_by_contact,
    max(told_accounts.told_at) filter (where told_accounts.identifier_type = 'contact_id')
        as told_by_contact_at,
    max(told_accounts.told_at) as told_at,
from told_accounts
inner join person_identifiers
    on
        told_accounts.identifier_type = person_identifiers.identifier_type
        and told_accounts.identifier = person_identifiers.identifier
group by person_identifiers.person_id, told_accounts.account_id
