with

records as (
    select
        record_id,
        record_type,
        stage,
        source_file,
        source_row,
        created_at,
        closed_at,
    from {{ ref('stg_records') }}
),

stage_changes as (
    select
        record_id,
        record_type,
        stage,
        previous_stage,
        changed_at,
        source_file,
        source_row,
    from {{ ref('stg_stage_changes') }}
),

record_snapshots as (
    select
        record_id,
        stage,
        source_file,
        source_row,
        is_first_seen,
        taken_at,
        later_stages,
    from {{ ref('int_record_snapshots') }}
),

survivors as (
    select
        record_id,
        surviving_record_id,
    from {{ ref('int_record_survivors') }}
),

surviving_records as (
    select
        record_id,
        record_type,
        pipeline,
        account_id,
        email_hash,
        is_deleted,
        deleted_at,
    from {{ ref('int_surviving_records') }}
),

records_with_changes as (
    select distinct record_id from stage_changes
),

-- Whose history was that of another record until both were merged.
survivors_with_changes as (
    select distinct survivors.surviving_record_id as record_id
    from survivors
    inner join records_with_changes
        on survivors.record_id = records_with_changes.record_id
),

records_with_snapshots as (
    select
        record_id,
        max(later_stages) as later_stages,
    from record_snapshots
    group by all
),

records_without_changes as (
    select
        records.record_id,
        records.record_type,
        records.stage,
        records.source_file,
        records.source_row,
        records.created_at,
        records.closed_at,
        records_with_snapshots.record_id is not null as has_snapshots,
        survivors_with_changes.record_id is null
        and survivors.surviving_record_id = records.record_id as is_in_stage,
        coalesce(records_with_snapshots.later_stages, 0) as later_stages,
    from records
    left join records_with_changes
        on records.record_id = records_with_changes.record_id
    left join records_with_snapshots
        on records.record_id = records_with_snapshots.record_id
    inner join survivors
        on records.record_id = survivors.record_id
    left join survivors_with_changes
        on survivors.surviving_record_id = survivors_with_changes.record_id
    where records_with_changes.record_id is null
),

recorded_changes as (
    select
        record_id,
        record_type,
        stage,
        'observed' as evidence,
        source_file,
        source_row,
        1 as source_sequence,
        false as is_creation,
        false as may_repeat_creation,
        changed_at as entered_at,
    from stage_changes
),

records_with_previous as (
    select distinct record_id from stage_changes
    where previous_stage is not null
),

first_changes as (
    select
        stage_changes.record_id,
        stage_changes.record_type,
        stage_changes.previous_stage,
        stage_changes.changed_at,
        stage_changes.source_file,
        stage_changes.source_row,
    from stage_changes
    inner join records_with_previous
        on stage_changes.record_id = records_with_previous.record_id
    qualify row_number() over (
        partition by stage_changes.record_id
        order by stage_changes.changed_at, stage_changes.source_file, stage_changes.source_row
    ) = 1
),

-- A history may begin after its record: what its first change left was entered at the creation.
stages_before_changes as (
    select
        first_changes.record_id,
        first_changes.record_type,
        first_changes.previous_stage as stage,
        'imputed' as evidence,
        first_changes.source_file,
        first_changes.source_row,
        0 as source_sequence,
        false as is_creation,
        false as may_repeat_creation,
        records.created_at as entered_at,
    from first_changes
    inner join records
        on first_changes.record_id = records.record_id
    where
        first_changes.previous_stage is not null
        and records.created_at < first_changes.changed_at
),

creations as (
    select
        record_id,
        record_type,
        -- Which stage is the first is known by the funnel, not by the record.
        cast(null as varchar) as stage,
        'imputed' as evidence,
        source_file,
        source_row,
        -later_stages as source_sequence,
        true as is_creation,
        false as may_repeat_creation,
        created_at as entered_at,
    from records_without_changes
    where created_at is not null
),

closings as (
    select
        record_id,
        record_type,
        stage,
        'observed' as evidence,
        source_file,
        source_row,
        1 as source_sequence,
        false as is_creation,
        false as may_repeat_creation,
        closed_at as entered_at,
    from records_without_changes
    where closed_at is not null
),

changes_between_snapshots as (
    select
        record_snapshots.record_id,
        records_without_changes.record_type,
        records_without_changes.created_at,
        record_snapshots.stage,
        record_snapshots.is_first_seen,
        record_snapshots.taken_at,
        record_snapshots.later_stages,
        records_without_changes.closed_at,
        coalesce(record_snapshots.taken_at >= records_without_changes.closed_at, false)
            as is_taken_after_close,
        record_snapshots.source_file as snapshot_file,
        record_snapshots.source_row as snapshot_row,
        records_without_changes.source_file as record_file,
        records_without_changes.source_row as record_row,
    from record_snapshots
    inner join records_without_changes
        on record_snapshots.record_id = records_without_changes.record_id
    -- The final stage has its own instant, the closing.
    where
        records_without_changes.closed_at is null
        or record_snapshots.later_stages > 0
),

-- A delivery tells by when a stage was entered. Where the record was closed earlier, as it is when
-- closes are dated by the day or back, it was by then: the row of the closing tells it, and before.
snapshot_stages as (
    select
        record_id,
        record_type,
        stage,
        'snapshot' as evidence,
        case when is_taken_after_close then record_file else snapshot_file end as source_file,
        case when is_taken_after_close then record_row else snapshot_row end as source_row,
        case when is_taken_after_close then 1 - later_stages else 1 end as source_sequence,
        false as is_creation,
        is_first_seen and created_at is not null as may_repeat_creation,
        case when is_taken_after_close then closed_at else taken_at end as entered_at,
    from changes_between_snapshots
),

current_stages as (
    select
        record_id,
        record_type,
        stage,
        'observed' as evidence,
        source_file,
        source_row,
        1 as source_sequence,
        false as is_creation,
        created_at is not null as may_repeat_creation,
        cast(null as timestamp) as entered_at,
    from records_without_changes
    -- What a merged record was in last is not where its survivor is, and a history tells that.
    where closed_at is null and not has_snapshots and is_in_stage
),

record_stages as (
    select * from recorded_changes
    union all
    select * from stages_before_changes
    union all
    select * from creations
    union all
    select * from closings
    union all
    select * from snapshot_stages
    union all
    select * from current_stages
)

select
    coalesce(survivors.surviving_record_id, record_stages.record_id) as record_id,
    coalesce(surviving_records.record_type, record_stages.record_type) as record_type,
    surviving_records.pipeline,
    surviving_records.account_id,
    surviving_records.email_hash,
    record_stages.stage,
    record_stages.evidence,
    record_stages.source_file,
    record_stages.source_row,
    record_stages.source_sequence,
    record_stages.is_creation,
    record_stages.may_repeat_creation,
    coalesce(surviving_records.is_deleted, false) as is_deleted,
    record_stages.entered_at,
    case when surviving_records.is_deleted then surviving_records.deleted_at end as deleted_at,
from record_stages
left join survivors
    on record_stages.record_id = survivors.record_id
left join surviving_records
    on survivors.surviving_record_id = surviving_records.record_id
-- A record that is not known yet at the as-of has no stages either.
where survivors.record_id is null or surviving_records.record_id is not null
