with

contacts as (
    select * from {{ ref('base_hubspot__contacts') }}
),

survivors as (
    select * from {{ ref('base_hubspot__merges') }}
)

select
    contacts.contact_id,
    contacts.company_id as account_id,
    contacts.user_id,
    contacts.email,
    contacts.job_title,
    contacts.lead_source,
    contacts.region,
    contacts.owner_id,
    contacts.created_at,
    survivors.merged_into_id,
    cast(contacts.is_deleted as {{ dbt.type_string() }}) as is_deleted,
    contacts.deleted_at,
    contacts.updated_at,
    contacts._source,
    contacts._file,
    contacts._row,
    contacts._load_id,
    contacts._delivered_at,
    contacts._plausible_until,
    contacts._is_current,
    {{ json_merged(
        json_of_values({
            'buying_role': hubspot_buying_roles(json_text('contacts.attributes', 'hs_buying_role')),
        }),
        'contacts.attributes'
    ) }} as _extra,
from contacts
left join survivors
    on
        contacts._source = survivors._source
        and contacts.contact_id = survivors.merged_id
        and survivors.object_type = 'contact'
