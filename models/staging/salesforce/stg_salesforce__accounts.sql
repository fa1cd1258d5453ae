with

accounts as (
    select * from {{ source('salesforce', 'account') }}
),

wanted_attributes as (
    select
        attributes,
        custom_attributes,
    from {{ ref('base_wanted_attributes') }}
)

select
    accounts.id as account_id,
    case
        when not coalesce(try_cast(accounts.is_person_account as boolean), false)
            then accounts.name
    end as name,
    accounts.industry,
    accounts.number_of_employees as employees,
    accounts.annual_revenue,
    accounts.currency_iso_code as currency,
    coalesce(accounts.billing_country, accounts.billing_country_code) as country,
    accounts.region_c as region,
    accounts.website,
    accounts.parent_id as parent_account_id,
    accounts.owner_id,
    accounts.created_date as created_at,
    accounts.master_record_id as merged_into_id,
    cast({{ salesforce_is_deleted('accounts') }} as {{ dbt.type_string() }}) as is_deleted,
    {{ salesforce_deleted_at('accounts') }} as deleted_at,
    {{ salesforce_updated_at('accounts') }} as updated_at,
    accounts._source,
    accounts._file,
    accounts._row,
    accounts._load_id,
    accounts._delivered_at,
    accounts._plausible_until,
    {{ salesforce_is_current('accounts', [
        'name', 'is_person_account', 'industry', 'number_of_employees', 'annual_revenue',
        'currency_iso_code', 'billing_country', 'billing_country_code', 'region_c', 'website',
        'parent_id', 'owner_id', 'created_date', 'master_record_id', 'is_deleted',
        '_fivetran_deleted', '_fivetran_active', '_ab_cdc_deleted_at', 'last_modified_date',
        'system_modstamp', '_extra',
    ]) }} as _is_current,
    {{ salesforce_attributes('accounts', 'wanted_attributes') }} as _extra,
from accounts
cross join wanted_attributes
