with

run as (
    select as_of from {{ ref('int_run') }}
),

events as (
    select occurred_at from {{ ref('stg_generic__events') }}
),

orders as (
    select ordered_at from {{ ref('stg_generic__orders') }}
),

record_stages as (
    select entered_at from {{ ref('int_record_stages') }}
),

evidence as (
    select evidence_type from {{ ref('int_evidence') }}
),

records as (
    select
        record_id,
        created_at,
    from {{ ref('stg_generic__records') }}
),

survivors as (
    select
        record_id,
        surviving_record_id,
    from {{ ref('int_record_survivors') }}
),

surviving_records as (
    select record_id from {{ ref('int_surviving_records') }}
),

funnel_events as (
    select distinct
        funnel_id,
        subject_id,
        event_number,
    from {{ ref('int_funnel_events') }}
    where stage_id is not null
),

stage_visits as (
    select
        funnel_id,
        subject_id,
        entries,
    from {{ ref('fct_stage_visits') }}
),

subject_states as (
    select
        funnel_id,
        subject_id,
    from {{ ref('int_subject_states') }}
),

events_accounted as (
    select
        'events' as measure,
        (select count(*) from events) as rows_in,
        (select count(*) from evidence where evidence_type = 'event')
        + (select count(*) from events cross join run where occurred_at >= as_of)
            as rows_accounted,
),

orders_accounted as (
    select
        'orders' as measure,
        (select count(*) from orders) as rows_in,
        (select count(*) from evidence where evidence_type = 'purchase')
        + (select count(*) from orders cross join run where ordered_at >= as_of)
            as rows_accounted,
),

record_stages_accounted as (
    select
        'record stages' as measure,
        (select count(*) from record_stages) as rows_in,
        (
            select count(*) from evidence
            where evidence_type in ('lead_status', 'opportunity_stage')
        )
        + (select count(*) from record_stages cross join run where entered_at >= as_of)
            as rows_accounted,
),

records_accounted as (
    select
        'records' as measure,
        (select count(*) from records) as rows_in,
        (select count(*) from surviving_records)
        + (select count(*) from survivors where record_id != surviving_record_id)
        + (
            select count(*)
            from records
            inner join survivors
                on records.record_id = survivors.record_id
            cross join run
            where
                records.record_id = survivors.surviving_record_id
                and records.created_at >= run.as_of
        ) as rows_accounted,
),

entries_by_funnel as (
    select
        funnel_id,
        count(*) as rows_in,
    from funnel_events
    group by all
),

visited_entries_by_funnel as (
    select
        funnel_id,
        cast(sum(entries) as bigint) as rows_accounted,
    from stage_visits
    group by all
),

subjects_by_funnel as (
    select
        funnel_id,
        count(distinct subject_id) as rows_in,
    from funnel_events
    group by all
),

states_by_funnel as (
    select
        funnel_id,
        count(*) as rows_accounted,
    from subject_states
    group by all
)

select
    cast(null as varchar) as funnel_id,
    measure,
    rows_in,
    rows_accounted,
from events_accounted

union all

select
    cast(null as varchar) as funnel_id,
    measure,
    rows_in,
    rows_accounted,
from orders_accounted

union all

select
    cast(null as varchar) as funnel_id,
    measure,
    rows_in,
    rows_accounted,
from record_stages_accounted

union all

select
    cast(null as varchar) as funnel_id,
    measure,
    rows_in,
    rows_accounted,
from records_accounted

union all

select
    entries_by_funnel.funnel_id,
    'stage entries' as measure,
    entries_by_funnel.rows_in,
    coalesce(visited_entries_by_funnel.rows_accounted, 0) as rows_accounted,
from entries_by_funnel
left join visited_entries_by_funnel
    on entries_by_funnel.funnel_id = visited_entries_by_funnel.funnel_id

union all

select
    subjects_by_funnel.funnel_id,
    'subjects' as measure,
    subjects_by_funnel.rows_in,
    coalesce(states_by_funnel.rows_accounted, 0) as rows_accounted,
from subjects_by_funnel
left join states_by_funnel
    on subjects_by_funnel.funnel_id = states_by_funnel.funnel_id
