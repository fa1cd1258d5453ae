with

record_versions as (
    select
        record_id,
        stage,
        updated_at,
        delivered_at,
        source_file,
        source_row,
    from {{ ref('stg_record_versions') }}
    where stage is not null
),

stage_changes as (
    select distinct record_id from {{ ref('stg_stage_changes') }}
),

versions_with_previous as (
    select
        record_versions.record_id,
        record_versions.stage,
        record_versions.delivered_at,
        record_versions.source_file,
        record_versions.source_row,
        lag(record_versions.stage) over by_record as previous_stage,
        row_number() over by_record as version_number,
    from record_versions
    left join stage_changes
        on record_versions.record_id = stage_changes.record_id
    where stage_changes.record_id is null
    window by_record as (
        partition by record_versions.record_id
        order by
            record_versions.delivered_at,
            record_versions.updated_at nulls first,
            record_versions.source_file,
            record_versions.source_row
    )
),

changed_versions as (
    select
        record_id,
        stage,
        delivered_at,
        source_file,
        source_row,
        version_number = 1 as is_first_seen,
        count(*) over (partition by record_id) as stages_seen,
        row_number() over (partition by record_id order by version_number desc) - 1 as later_stages,
    from versions_with_previous
    where version_number = 1 or stage != previous_stage
)

select
    record_id,
    stage,
    source_file,
    source_row,
    is_first_seen,
    delivered_at as taken_at,
    later_stages,
from changed_versions
-- A stage that never differed shows no change, and so no instant.
where stages_seen > 1
