with

companies as (
    select * from {{ ref('base_hubspot__companies') }}
),

survivors as (
    select * from {{ ref('base_hubspot__merges') }}
)

select
    companies.company_id as account_id,
    companies.name,
    companies.industry,
    companies.employees,
    companies.annual_revenue,
    companies.country,
    companies.region,
    companies.website,
    companies.parent_company_id as parent_account_id,
    companies.owner_id,
    companies.created_at,
    survivors.merged_into_id,
    cast(companies.is_deleted as {{ dbt.type_string() }}) as is_deleted,
    companies.deleted_at,
    companies.updated_at,
    companies._source,
    companies._file,
    companies._row,
    companies._load_id,
    companies._delivered_at,
    companies._plausible_until,
    companies._is_current,
    companies.attributes as _extra,
from companies
left join survivors
    on
        companies._source = survivors._source
        and companies.company_id = survivors.merged_id
        and survivors.object_type = 'company'
