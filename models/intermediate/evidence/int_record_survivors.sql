with recursive

records as (
    select
        record_id,
        merged_into_id,
    from {{ ref('stg_records') }}
),

merged_records as (
    select
        records.record_id,
        records.merged_into_id,
    from records
    inner join records as survivors
        on records.merged_into_id = survivors.record_id
    where records.record_id != records.merged_into_id
),

followed_merges as (
    select
        record_id,
        merged_into_id as surviving_record_id,
        1 as merges_followed,
    from merged_records

    union all

    select
        followed_merges.record_id,
        merged_records.merged_into_id as surviving_record_id,
        followed_merges.merges_followed + 1 as merges_followed,
    from followed_merges
    inner join merged_records
        on followed_merges.surviving_record_id = merged_records.record_id
    -- Records merged in a circle have no survivor to arrive at.
    where followed_merges.merges_followed < 32
),

last_merges as (
    select
        record_id,
        max_by(surviving_record_id, merges_followed) as surviving_record_id,
    from followed_merges
    group by all
)

select
    records.record_id,
    coalesce(last_merges.surviving_record_id, records.record_id) as surviving_record_id,
from records
left join last_merges
    on records.record_id = last_merges.record_id
