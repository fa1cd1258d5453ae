with

current_deals as (
    select * from {{ current_rows(
        ref('base_hubspot__deals'), 'deal_id', ['try_cast(updated_at as timestamp)']
    ) }}
),

associations as (
    select
        _source,
        deal_id,
        'contact' as object_type,
        contact_id as object_id,
        false as is_primary,
    from {{ current_rows(source('hubspot', 'deal_contact'), 'deal_id, contact_id, type_id', [
        "try_cast(_fivetran_synced as timestamp)",
    ]) }}
    where not {{ hubspot_is_true(['_fivetran_deleted']) }}
    union all
    select
        _source,
        deal_id,
        'company' as object_type,
        company_id as object_id,
        coalesce(type_id = '5', false) as is_primary,
    from {{ current_rows(source('hubspot', 'deal_company'), 'deal_id, company_id, type_id', [
        "try_cast(_fivetran_synced as timestamp)",
    ]) }}
    where not {{ hubspot_is_true(['_fivetran_deleted']) }}
    union all
    select
        _source,
        deal_id,
        'contact' as object_type,
        {{ exploded(json_items('contact_ids')) }} as object_id,
        false as is_primary,
    from current_deals
    union all
    select
        _source,
        deal_id,
        'company' as object_type,
        {{ exploded(json_items('company_ids')) }} as object_id,
        false as is_primary,
    from current_deals
),

-- HubSpot does not say when things were associated: the object that is there longest is the first.
first_associations as (
    select
        _source,
        deal_id,
        object_type,
        object_id,
    from associations
    qualify row_number() over (
        partition by _source, deal_id, object_type
        order by is_primary desc, length(object_id) asc, object_id asc
    ) = 1
)

select
    _source,
    deal_id,
    max(object_id) filter (where object_type = 'contact') as contact_id,
    max(object_id) filter (where object_type = 'company') as company_id,
from first_associations
group by all
