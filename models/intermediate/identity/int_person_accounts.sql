with

told_accounts as (
    select
        person_id,
        account_id,
        is_told_by_contact,
        told_by_contact_at,
        told_at,
    from {{ ref('int_told_accounts') }}
)

select
    person_id,
    account_id,
    count(*) over (partition by person_id) as accounts,
from told_accounts
qualify row_number() over (
    partition by person_id
    order by
        is_told_by_contact desc,
        told_by_contact_at desc nulls last,
        told_at desc nulls last,
        account_id asc
) = 1
