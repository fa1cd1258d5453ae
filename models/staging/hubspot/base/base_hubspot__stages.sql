with

stages as (
    select
        _source,
        stage_id,
        label,
        try_cast(is_closed as boolean) as is_closed,
        try_cast(closed_won as boolean) as is_won,
        try_cast(probability as double) as probability,
    from {{ current_rows(source('hubspot', 'deal_pipeline_stage'), 'stage_id', [
        "not coalesce(try_cast(_fivetran_deleted as boolean), false)",
        "try_cast(_fivetran_synced as timestamp)",
    ]) }}
),

nested_stages as (
    select
        _source,
        {{ exploded(json_items('stages')) }} as stage,
    from {{ current_rows(source('hubspot', 'deal_pipelines'), 'coalesce(id, pipeline_id)', [
        'try_cast(' ~ connector_instant('coalesce(_airbyte_extracted_at, _airbyte_emitted_at)')
        ~ ' as timestamp)',
    ]) }}
),

unnested_stages as (
    select
        _source,
        coalesce({{ json_text('stage', 'id') }}, {{ json_text('stage', 'stageId') }}) as stage_id,
        {{ json_text('stage', 'label') }} as label,
        try_cast({{ json_text(json_text('stage', 'metadata'), 'isClosed') }} as boolean)
            as is_closed,
        cast(null as boolean) as is_won,
        try_cast({{ json_text(json_text('stage', 'metadata'), 'probability') }} as double)
            as probability,
    from nested_stages
),

all_stages as (
    select * from stages
    union all
    select * from unnested_stages
)

select
    _source,
    stage_id,
    coalesce(label, stage_id) as stage,
    is_closed,
    coalesce(is_won, is_closed and probability = 1) as is_won,
    probability,
from all_stages
qualify row_number() over (partition by _source, stage_id order by label, probability) = 1
