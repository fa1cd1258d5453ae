with

deal_stages as (
    select * from {{ source('hubspot', 'deal_stage') }}
),

property_changes as (
    select * from {{ ref('base_hubspot__property_changes') }}
),

dated_stages as (
    select * from {{ ref('base_hubspot__dated_stages') }}
),

stages as (
    select
        _source,
        stage_id,
        stage,
    from {{ ref('base_hubspot__stages') }}
),

survivors as (
    select * from {{ ref('base_hubspot__merges') }}
),

histories as (
    select
        1 as history_rank,
        'deal' as object_type,
        deal_id as object_id,
        value as stage_id,
        {{ connector_instant('coalesce(date_entered, _fivetran_start)') }} as changed_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from deal_stages
    union all
    select
        2 as history_rank,
        object_type,
        object_id,
        property_value as stage_id,
        changed_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from property_changes
    where
        property_value is not null
        and property_name = case object_type when 'deal' then 'dealstage' else 'lifecyclestage' end
    union all
    select
        3 as history_rank,
        object_type,
        object_id,
        stage_id,
        entered_at as changed_at,
        _source,
        _file,
        _row,
        _load_id,
        _delivered_at,
        _plausible_until,
        _is_current,
    from dated_stages
),

-- Histories of one object tell of the same changes, to other milliseconds.
best_histories as (
    select
        *,
        min(case when _is_current then history_rank end) over (
            partition by _source, object_type, object_id
        ) as best_history_rank,
    from histories
),

stage_changes as (
    select * from best_histories
    where history_rank = coalesce(best_history_rank, history_rank)
)

select
    case stage_changes.object_type when 'contact' then 'contact:' else '' end
    || coalesce(survivors.merged_into_id, stage_changes.object_id) as record_id,
    case stage_changes.object_type when 'deal' then 'opportunity' else 'lead' end as record_type,
    coalesce(stages.stage, stage_changes.stage_id) as stage,
    stage_changes.changed_at,
    stage_changes._source,
    stage_changes._file,
    stage_changes._row,
    stage_changes._load_id,
    stage_changes._delivered_at,
    stage_changes._plausible_until,
    stage_changes._is_current,
from stage_changes
left join stages
    on
        stage_changes._source = stages._source
        and stage_changes.object_type = 'deal'
        and stage_changes.stage_id = stages.stage_id
left join survivors
    on
        stage_changes._source = survivors._source
        and stage_changes.object_type = survivors.object_type
        and stage_changes.object_id = survivors.merged_id
