{{ config(materialized='view') }}

with

run as (
    select as_of from {{ ref('int_run') }}
),

activities as (
    select
        record_id,
        activity_type,
        occurred_at,
    from {{ ref('stg_activities') }}
    where record_id is not null
),

survivors as (
    select
        record_id,
        surviving_record_id,
    from {{ ref('int_record_survivors') }}
)

select
    coalesce(survivors.surviving_record_id, activities.record_id) as record_id,
    activities.activity_type,
    activities.occurred_at,
from activities
left join survivors
    on activities.record_id = survivors.record_id
cross join run
where activities.occurred_at < run.as_of
