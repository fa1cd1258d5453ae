with

objects as (
    select
        'deal' as object_type,
        deal_id as object_id,
        delivered_properties,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from {{ ref('base_hubspot__deals') }}
    union all
    select
        'contact' as object_type,
        contact_id as object_id,
        delivered_properties,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from {{ ref('base_hubspot__contacts') }}
),

stages as (
    select
        _source,
        min(stage_id) as stage_id,
        -- As names of properties spell it.
        lower(replace(replace(stage_id, '-', '_'), ' ', '_')) as stage_key,
    from {{ ref('base_hubspot__stages') }}
    group by all
),

date_properties as (
    select
        *,
        {{ exploded(regex_matches(
            'delivered_properties',
            "'\"((?:property_|properties_)?"
            ~ "hs_(?:(?:v2_)?date_entered_[^\"]+|lifecyclestage_[^\"]+_date))\"'",
        )) }} as property_name,
    from objects
),

dated_stages as (
    select
        object_type,
        object_id,
        regexp_replace(
            regexp_replace(
                property_name,
                '^(property_|properties_)?hs_(v2_date_entered_|date_entered_|lifecyclestage_)',
                ''
            ),
            case when property_name like '%hs_lifecyclestage_%' then '_date$' else '^$' end,
            ''
        ) as stage_key,
        -- Of several properties that say the same the newest is kept up best.
        case
            when property_name like '%hs_v2_date_entered_%' then 1
            when property_name like '%hs_date_entered_%' then 2
            else 3
        end as property_rank,
        {{ connector_instant(json_text_at('delivered_properties', 'property_name')) }}
            as entered_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from date_properties
),

keyed_stages as (
    select
        *,
        -- Behind a long id HubSpot puts a number of its own.
        case
            when {{ matches_regex(
                'stage_key', "'^[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}_'"
            ) }} then left(stage_key, 36)
            else stage_key
        end as short_stage_key,
    from dated_stages
    where entered_at is not null and stage_key != 'current_stage'
    qualify row_number() over (
        partition by _load_id, _row, object_type, object_id, stage_key
        order by property_rank, entered_at
    ) = 1
)

select
    keyed_stages.object_type,
    keyed_stages.object_id,
    coalesce(stages.stage_id, keyed_stages.short_stage_key) as stage_id,
    keyed_stages.entered_at,
    keyed_stages._source,
    keyed_stages._file,
    keyed_stages._row,
    keyed_stages._load_id,
    keyed_stages._delivered_at,
    keyed_stages._plausible_until,
    keyed_stages._is_current,
from keyed_stages
left join stages
    on
        keyed_stages._source = stages._source
        and keyed_stages.short_stage_key = stages.stage_key
        and keyed_stages.object_type = 'deal'
