with

companies as (
    select * from {{ source('hubspot', 'company') }}
    {{ union_by_name() }}
    select * from {{ source('hubspot', 'companies') }}
)

select
    id as company_id,
    {{ hubspot_property('hs_parent_company_id') }} as parent_company_id,
    {{ hubspot_property('hubspot_owner_id') }} as owner_id,
    {{ hubspot_property('name') }} as name,
    {{ hubspot_property('industry') }} as industry,
    {{ hubspot_property('country') }} as country,
    {{ hubspot_property('region') }} as region,
    coalesce({{ hubspot_property('website') }}, {{ hubspot_property('domain') }}) as website,
    {{ hubspot_property('hs_merged_object_ids') }} as merged_ids,
    {{ hubspot_attributes([
        'annualrevenue', 'country', 'createdate', 'domain', 'hs_lastmodifieddate',
        'hs_merged_object_ids', 'hs_parent_company_id', 'hubspot_owner_id', 'industry', 'name',
        'numberofemployees', 'region', 'website',
    ]) }} as attributes,
    {{ hubspot_is_true(['_fivetran_deleted', 'is_deleted', 'archived']) }} as is_deleted,
    {{ connector_instant("coalesce(" ~ hubspot_property('createdate') ~ ", created_at)") }}
        as created_at,
    {{ connector_instant('archived_at') }} as deleted_at,
    coalesce(
        {{ hubspot_synced_at() }},
        {{ connector_instant(
            "coalesce(" ~ hubspot_property('hs_lastmodifieddate') ~ ", updated_at)"
        ) }}
    ) as updated_at,
    {{ hubspot_property('numberofemployees') }} as employees,
    {{ hubspot_property('annualrevenue') }} as annual_revenue,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current,
from companies
