with

users as (
    select * from {{ source('salesforce', 'user') }}
),

user_roles as (
    select
        _source,
        id,
        name,
    from {{ salesforce_current_rows('user_role') }}
)

select
    users.id as owner_id,
    users.name,
    users.email,
    user_roles.name as team,
    users.manager_id,
    users.region_c as region,
    cast(
        coalesce(try_cast(users.is_active as boolean), true)
        and not coalesce(try_cast(users._fivetran_deleted as boolean), false)
        and coalesce(try_cast(users._fivetran_active as boolean), true)
        as {{ dbt.type_string() }}
    ) as is_active,
    users.created_date as created_at,
    {{ salesforce_updated_at('users') }} as updated_at,
    users._source,
    users._file,
    users._row,
    users._load_id,
    users._delivered_at,
    users._plausible_until,
    {{ salesforce_is_current('users', [
        'name', 'email', 'user_role_id', 'manager_id', 'region_c', 'is_active', 'created_date',
        '_fivetran_deleted', '_fivetran_active',
    ]) }} as _is_current,
from users
left join user_roles
    on
        users._source = user_roles._source
        and users.user_role_id = user_roles.id
