with

pipelines as (
    select
        _source,
        pipeline_id,
        label,
    from {{ current_rows(source('hubspot', 'deal_pipeline'), 'pipeline_id', [
        "not coalesce(try_cast(_fivetran_deleted as boolean), false)",
        "try_cast(_fivetran_synced as timestamp)",
    ]) }}
    union all
    select
        _source,
        coalesce(id, pipeline_id) as pipeline_id,
        label,
    from {{ current_rows(source('hubspot', 'deal_pipelines'), 'coalesce(id, pipeline_id)', [
        'try_cast(' ~ connector_instant('coalesce(_airbyte_extracted_at, _airbyte_emitted_at)')
        ~ ' as timestamp)',
    ]) }}
)

select
    _source,
    pipeline_id,
    coalesce(label, pipeline_id) as pipeline,
from pipelines
qualify row_number() over (partition by _source, pipeline_id order by label) = 1
