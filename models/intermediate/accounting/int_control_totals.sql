with

run as (
    select as_of from {{ ref('int_run') }}
),

events as (
    select
        traffic_type,
        occurred_at,
    from {{ ref('int_traffic') }}
),

orders as (
    select
        order_id,
        ordered_at,
    from {{ ref('stg_orders') }}
),

merged_orders as (
    select order_id
    from {{ ref('int_reconciled_orders') }}
    where not is_leading
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
    from {{ ref('stg_records') }}
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

stage_entries as (
    select
        funnel_id,
        subject_id,
        file_number,
        source_row,
        source_sequence,
        may_meet_several,
        entered_at,
    from {{ ref('int_stage_entries') }}
),

-- An event that meets several stages is one entry.
events_of_several as (
    select distinct * from stage_entries
    where may_meet_several
),

funnel_events as (
    select
        funnel_id,
        subject_id,
    from stage_entries
    where not may_meet_several

    union all

    select
        funnel_id,
        subject_id,
    from events_of_several
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

evidence_to_account_for as (
    select
        'events' as measure,
        count(*) as rows_in,
        count(*) filter (where events.traffic_type is not null or events.occurred_at >= run.as_of)
            as rows_left_out,
    from events
    cross join run

    union all

    select
        'orders' as measure,
        count(*) as rows_in,
        count(*) filter (
            where orders.ordered_at >= run.as_of or merged_orders.order_id is not null
        ) as rows_left_out,
    from orders
    cross join run
    left join merged_orders
        on orders.order_id = merged_orders.order_id

    union all

    select
        'record stages' as measure,
        count(*) as rows_in,
        count(*) filter (where record_stages.entered_at >= run.as_of) as rows_left_out,
    from record_stages
    cross join run
),

evidence_used as (
    select
        case evidence_type
            when 'event' then 'events'
            when 'purchase' then 'orders'
            else 'record stages'
        end as measure,
        count(*) as rows_used,
    from evidence
    group by all
),

records_to_account_for as (
    select
        count(*) as rows_in,
        count(*) filter (where records.record_id != survivors.surviving_record_id)
            as rows_merged,
        count(*) filter (
            where
            records.record_id = survivors.surviving_record_id
            and records.created_at >= run.as_of
        ) as rows_not_known_yet,
    from records
    cross join run
    left join survivors
        on records.record_id = survivors.record_id
),

records_used as (
    select count(*) as rows_used
    from surviving_records
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
    evidence_to_account_for.measure,
    evidence_to_account_for.rows_in,
    coalesce(evidence_used.rows_used, 0)
    + evidence_to_account_for.rows_left_out as rows_accounted,
from evidence_to_account_for
left join evidence_used
    on evidence_to_account_for.measure = evidence_used.measure

union all

select
    cast(null as varchar) as funnel_id,
    'records' as measure,
    records_to_account_for.rows_in,
    records_used.rows_used
    + records_to_account_for.rows_merged
    + records_to_account_for.rows_not_known_yet as rows_accounted,
from records_to_account_for
cross join records_used

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
