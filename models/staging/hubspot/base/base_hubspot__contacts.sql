with

contacts as (
    select * from {{ source('hubspot', 'contact') }}
    {{ union_by_name() }}
    select * from {{ source('hubspot', 'contacts') }}
),

wanted_attributes as (
    select attributes
    from {{ ref('base_wanted_attributes') }}
),

contacts_and_wanted as (
    select
        contacts.*,
        wanted_attributes.attributes as wanted_attributes,
    from contacts
    cross join wanted_attributes
)

select
    id as contact_id,
    coalesce(
        {{ hubspot_property('associatedcompanyid') }},
        {{ list_item(json_items("companies"), 1) }}
    ) as company_id,
    {{ hubspot_property('user_id') }} as user_id,
    {{ hubspot_property('email') }} as email,
    {{ hubspot_property('lifecyclestage') }} as lifecycle_stage,
    {{ hubspot_property('jobtitle') }} as job_title,
    {{ hubspot_property('hubspot_owner_id') }} as owner_id,
    coalesce(
        {{ hubspot_property('lead_source') }}, {{ hubspot_property('hs_analytics_source') }}
    ) as lead_source,
    {{ hubspot_property('region') }} as region,
    {{ hubspot_property('loss_reason') }} as loss_reason,
    {{ hubspot_property('hs_merged_object_ids') }} as merged_ids,
    {{ hubspot_property('hs_calculated_merged_vids') }} as merged_vids,
    {{ json_merged('properties', '_extra') }} as delivered_properties,
    {{ json_with_keys(
        hubspot_attributes([
            'associatedcompanyid', 'createdate', 'email', 'hs_analytics_source',
            'hs_merged_object_ids', 'hubspot_owner_id', 'jobtitle', 'lastmodifieddate',
            'lead_source', 'lifecyclestage', 'loss_reason', 'region', 'user_id',
        ]),
        'wanted_attributes'
    ) }} as attributes,
    {{ hubspot_is_true(['_fivetran_deleted', 'is_deleted', 'archived']) }} as is_deleted,
    {{ connector_instant("coalesce(" ~ hubspot_property('createdate') ~ ", created_at)") }}
        as created_at,
    {{ connector_instant('archived_at') }} as deleted_at,
    coalesce(
        {{ hubspot_synced_at() }},
        {{ connector_instant(
            "coalesce(" ~ hubspot_property('lastmodifieddate') ~ ", updated_at)"
        ) }}
    ) as updated_at,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current,
from contacts_and_wanted
