with

property_changes as (
    select
        'deal' as object_type,
        *,
    from {{ source('hubspot', 'deal_property_history') }}
    {{ union_by_name() }}
    select
        'deal' as object_type,
        *,
    from {{ source('hubspot', 'deals_property_history') }}
    {{ union_by_name() }}
    select
        'contact' as object_type,
        *,
    from {{ source('hubspot', 'contact_property_history') }}
    {{ union_by_name() }}
    select
        'contact' as object_type,
        *,
    from {{ source('hubspot', 'contacts_property_history') }}
)

select
    object_type,
    coalesce(deal_id, contact_id, vid) as object_id,
    coalesce(name, property) as property_name,
    value as property_value,
    {{ connector_instant('timestamp') }} as changed_at,
    _source,
    _file,
    _row,
    _load_id,
    _delivered_at,
    _plausible_until,
    _is_current,
from property_changes
