with

contacts as (
    select * from {{ ref('base_hubspot__contacts') }}
),

property_changes as (
    select * from {{ ref('base_hubspot__property_changes') }}
)

select
    _source,
    contact_id,
from contacts
where lifecycle_stage is not null

union

select
    _source,
    object_id as contact_id,
from property_changes
where
    object_type = 'contact'
    and property_name = 'lifecyclestage'
    and property_value is not null
