with

deals as (
    select * from {{ source('hubspot', 'deal') }}
    {{ union_by_name() }}
    select * from {{ source('hubspot', 'deals') }}
    {{ union_by_name() }}
    select * from {{ source('hubspot', 'deals_archived') }}
)

select
    coalesce(deal_id, id) as deal_id,
    coalesce(deal_pipeline_id, {{ hubspot_property('pipeline') }}) as pipeline_id,
    coalesce(deal_pipeline_stage_id, {{ hubspot_property('dealstage') }}) as stage_id,
    {{ hubspot_property('dealname') }} as name,
    {{ hubspot_property('deal_currency_code') }} as currency,
    coalesce(owner_id, {{ hubspot_property('hubspot_owner_id') }}) as owner_id,
    {{ hubspot_property('hs_primary_associated_company') }} as company_id,
    coalesce(
        {{ hubspot_property('lead_source') }}, {{ hubspot_property('hs_analytics_source') }}
    ) as lead_source,
    {{ hubspot_property('region') }} as region,
    {{ hubspot_property('closed_lost_reason') }} as loss_reason,
    {{ hubspot_property('hs_merged_object_ids') }} as merged_ids,
    contacts as contact_ids,
    companies as company_ids,
    {{ json_merged('properties', '_extra') }} as delivered_properties,
    {{ hubspot_attributes([
        'amount', 'closedate', 'closed_lost_reason', 'createdate', 'deal_currency_code', 'dealname',
        'dealstage', 'hs_analytics_source', 'hs_is_closed', 'hs_is_closed_won',
        'hs_lastmodifieddate', 'hs_merged_object_ids', 'hs_primary_associated_company',
        'hubspot_owner_id', 'lead_source', 'pipeline', 'region',
    ]) }} as attributes,
    {{ hubspot_is_true(['_fivetran_deleted', 'is_deleted', 'archived']) }} as is_deleted,
    try_cast({{ hubspot_property('hs_is_closed') }} as boolean) as is_closed,
    try_cast({{ hubspot_property('hs_is_closed_won') }} as boolean) as is_won,
    {{ connector_instant("coalesce(" ~ hubspot_property('createdate') ~ ", created_at)") }}
        as created_at,
    {{ connector_instant(hubspot_property('closedate')) }} as close_date,
    {{ connector_instant('archived_at') }} as deleted_at,
    coalesce(
        {{ hubspot_synced_at() }},
        {{ connector_instant(
            "coalesce(" ~ hubspot_property('hs_lastmodifieddate') ~ ", updated_at)"
        ) }}
    ) as updated_at,
    {{ hubspot_property('amount') }} as amount,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current,
from deals
