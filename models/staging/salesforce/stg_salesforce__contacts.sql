with

contacts as (
    select * from {{ source('salesforce', 'contact') }}
),

wanted_attributes as (
    select
        attributes,
        custom_attributes,
    from {{ ref('base_wanted_attributes') }}
)

select
    contacts.id as contact_id,
    contacts.account_id,
    contacts.user_id_c as user_id,
    contacts.name,
    contacts.email,
    contacts.phone,
    contacts.title as job_title,
    contacts.lead_source,
    contacts.region_c as region,
    contacts.owner_id,
    contacts.created_date as created_at,
    contacts.master_record_id as merged_into_id,
    cast({{ salesforce_is_deleted('contacts') }} as {{ dbt.type_string() }}) as is_deleted,
    {{ salesforce_deleted_at('contacts') }} as deleted_at,
    {{ salesforce_updated_at('contacts') }} as updated_at,
    contacts._source,
    contacts._file,
    contacts._row,
    contacts._load_id,
    contacts._delivered_at,
    contacts._plausible_until,
    {{ salesforce_is_current('contacts', [
        'account_id', 'user_id_c', 'name', 'email', 'phone', 'title', 'lead_source', 'region_c',
        'owner_id', 'created_date', 'master_record_id', 'is_deleted', '_fivetran_deleted',
        '_fivetran_active', '_ab_cdc_deleted_at', 'last_modified_date', 'system_modstamp', '_extra',
    ]) }} as _is_current,
    {{ salesforce_attributes('contacts', 'wanted_attributes') }} as _extra,
from contacts
cross join wanted_attributes
