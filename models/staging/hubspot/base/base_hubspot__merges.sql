with

listed_merges as (
    select
        _source,
        'deal' as object_type,
        deal_id as object_id,
        {{ exploded(split_text('merged_ids', ';')) }} as merged_id,
    from {{ current_rows(
        ref('base_hubspot__deals'), 'deal_id', ['try_cast(updated_at as timestamp)']
    ) }}
    union all
    select
        _source,
        'contact' as object_type,
        contact_id as object_id,
        {{ exploded(split_text("concat_ws(';', merged_ids, merged_vids)", ';')) }} as merged_id,
    from {{ current_rows(
        ref('base_hubspot__contacts'), 'contact_id', ['try_cast(updated_at as timestamp)']
    ) }}
    union all
    select
        _source,
        'company' as object_type,
        company_id as object_id,
        {{ exploded(split_text('merged_ids', ';')) }} as merged_id,
    from {{ current_rows(
        ref('base_hubspot__companies'), 'company_id', ['try_cast(updated_at as timestamp)']
    ) }}
    union all
    select
        _source,
        'deal' as object_type,
        deal_id as object_id,
        merged_deal_id as merged_id,
    from {{ source('hubspot', 'merged_deal') }}
    where _is_current and not {{ hubspot_is_true(['_fivetran_deleted']) }}
),

distinct_merges as (
    select distinct
        _source,
        object_type,
        object_id,
        -- The older list has the instant of the merge behind each id.
        trim({{ list_item(split_text('merged_id', ':'), 1) }}) as merged_id,
    from listed_merges
),

merged_objects as (
    select distinct
        _source,
        object_type,
        merged_id,
    from distinct_merges
)

select
    distinct_merges._source,
    distinct_merges.object_type,
    distinct_merges.merged_id,
    distinct_merges.object_id as merged_into_id,
from distinct_merges
left join merged_objects
    on
        distinct_merges._source = merged_objects._source
        and distinct_merges.object_type = merged_objects.object_type
        and distinct_merges.object_id = merged_objects.merged_id
where distinct_merges.merged_id != '' and distinct_merges.merged_id != distinct_merges.object_id
-- What was merged time and again is listed by all that came of it; the last is not merged itself.
qualify row_number() over (
    partition by distinct_merges._source, distinct_merges.object_type, distinct_merges.merged_id
    order by
        merged_objects.merged_id is not null asc,
        length(distinct_merges.object_id) desc,
        distinct_merges.object_id desc
) = 1
