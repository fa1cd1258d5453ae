with

property_changes as (
    select * from {{ ref('base_hubspot__property_changes') }}
    where
        object_type = 'deal'
        and property_name not in ('dealstage', 'createdate', 'dealname')
        -- HubSpot's own figures change by the day and tell nothing that the stages do not.
        and (property_name not like 'hs_%' or property_name = 'hs_analytics_source')
        and not {{ matches_regex('property_name', "'" ~ hubspot_personal_names() ~ "'") }}
),

pipelines as (
    select * from {{ ref('base_hubspot__pipelines') }}
),

survivors as (
    select * from {{ ref('base_hubspot__merges') }}
)

select
    coalesce(survivors.merged_into_id, property_changes.object_id) as record_id,
    'opportunity' as record_type,
    case property_changes.property_name
        when 'closedate' then 'expected_close_date'
        when 'closed_lost_reason' then 'loss_reason'
        when 'deal_currency_code' then 'currency'
        when 'hs_analytics_source' then 'lead_source'
        when 'hubspot_owner_id' then 'owner_id'
        else property_changes.property_name
    end as field,
    property_changes.changed_at,
    case property_changes.property_name
        when 'closedate' then left({{ connector_instant('property_changes.property_value') }}, 10)
        when 'pipeline' then coalesce(pipelines.pipeline, property_changes.property_value)
        else property_changes.property_value
    end as new_value,
    property_changes._source,
    property_changes._file,
    property_changes._row,
    property_changes._load_id,
    property_changes._delivered_at,
    property_changes._plausible_until,
    property_changes._is_current,
from property_changes
left join pipelines
    on
        property_changes._source = pipelines._source
        and property_changes.property_name = 'pipeline'
        and property_changes.property_value = pipelines.pipeline_id
left join survivors
    on
        property_changes._source = survivors._source
        and property_changes.object_id = survivors.merged_id
        and survivors.object_type = 'deal'
