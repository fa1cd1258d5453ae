with

run as (
    select as_of from {{ ref('int_run') }}
),

row_counts as (
    select
        source,
        table_name,
        rows_delivered,
        rows_quarantined_at_loading,
        rows_quarantined_in_staging,
        rows_repeated,
        rows_kept,
    from {{ ref('stg_row_counts') }}
),

events as (
    select
        source,
        is_corrected_time,
        is_received_late,
    from {{ ref('stg_events') }}
),

deliveries as (
    select
        source,
        table_name,
        cast(sum(rows_read) as bigint) as rows_delivered,
        cast(sum(rows_quarantined) as bigint) as rows_quarantined_at_loading,
        cast(sum(rows_suppressed) as bigint) as rows_suppressed,
        cast(sum(rows_loaded) as bigint) as rows_loaded,
    from {{ source('raw', 'loads') }}
    where is_current
    group by all
),

traffic_types as (
    select distinct traffic_type,
    from {{ ref('excluded_traffic') }}
),

excluded_traffic as (
    select
        traffic.traffic_type,
        coalesce(traffic.anonymous_id, traffic.user_id) as visitor_id,
    from {{ ref('int_traffic') }} as traffic
    cross join run
    where
        traffic.traffic_type is not null
        and traffic.occurred_at < run.as_of
),

traffic_totals as (
    select
        traffic_types.traffic_type,
        count(excluded_traffic.traffic_type) as events_excluded,
        count(distinct excluded_traffic.visitor_id) as visitors_excluded,
    from traffic_types
    left join excluded_traffic
        on traffic_types.traffic_type = excluded_traffic.traffic_type
    group by all
),

totals_by_traffic_type as (
    select
        traffic_type,
        measure,
        counted,
    from traffic_totals
    unpivot (
        counted for measure in (
            events_excluded,
            visitors_excluded
        )
    )
),

records as (
    select record_id from {{ ref('stg_records') }}
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
        is_deleted,
    from {{ ref('int_surviving_records') }}
),

orders as (
    select order_id from {{ ref('stg_orders') }}
),

reconciled_orders as (
    select
        order_id,
        is_leading,
    from {{ ref('int_reconciled_orders') }}
),

funnels as (
    select funnel_id from {{ ref('dim_funnels') }}
),

subject_states as (
    select
        funnel_id,
        subject_state,
    from {{ ref('int_subject_states') }}
),

journeys as (
    select
        funnel_id,
        entered_at,
    from {{ ref('fct_journeys') }}
),

stage_visits as (
    select
        funnel_id,
        entries,
    from {{ ref('fct_stage_visits') }}
),

journey_exclusions as (
    select
        funnel_id,
        subject_id,
        excluded_journey_number,
        after_stage_id,
        before_stage_id,
        match_value,
        exclusions,
    from {{ ref('fct_journey_exclusions') }}
),

excluded_journeys as (
    select distinct
        funnel_id,
        subject_id,
        excluded_journey_number,
    from journey_exclusions
),

declared_exclusions as (
    select
        funnel_id,
        after_stage_id,
        before_stage_id,
        match_value,
    from {{ ref('funnel_exclusions') }}
),

exclusion_totals as (
    select
        declared_exclusions.funnel_id
        || ': '
        || declared_exclusions.match_value
        || ' between '
        || declared_exclusions.after_stage_id
        || ' and '
        || declared_exclusions.before_stage_id as exclusion,
        count(journey_exclusions.funnel_id) as journeys_excluded,
        count(*) filter (where journey_exclusions.exclusions = 1) as journeys_excluded_alone,
    from declared_exclusions
    left join journey_exclusions
        on
            declared_exclusions.funnel_id = journey_exclusions.funnel_id
            and declared_exclusions.after_stage_id = journey_exclusions.after_stage_id
            and declared_exclusions.before_stage_id = journey_exclusions.before_stage_id
            and declared_exclusions.match_value = journey_exclusions.match_value
    group by all
),

totals_by_exclusion as (
    select
        exclusion,
        measure,
        counted,
    from exclusion_totals
    unpivot (
        counted for measure in (
            journeys_excluded,
            journeys_excluded_alone
        )
    )
),

tied_subjects as (
    select
        funnel_id,
        journeys_hang_on_tie,
        visits_hang_on_tie,
    from {{ ref('int_tied_subjects') }}
),

subject_totals as (
    select
        funnel_id,
        count(*) filter (where subject_state = 'with_journeys') as subjects_with_journeys,
        count(*) filter (where subject_state = 'excluded') as subjects_excluded,
        count(*) filter (where subject_state = 'never_started') as subjects_never_started,
    from subject_states
    group by all
),

journey_totals as (
    select
        funnel_id,
        count(*) as journeys,
        count(*) filter (where entered_at is null) as journeys_undated,
    from journeys
    group by all
),

excluded_journey_totals as (
    select
        funnel_id,
        count(*) as journeys_excluded,
    from excluded_journeys
    group by all
),

entry_totals as (
    select
        funnel_id,
        cast(sum(entries) as bigint) as stage_entries,
    from stage_visits
    group by all
),

tie_totals as (
    select
        funnel_id,
        count(*) as subjects_with_ties,
        count(*) filter (where journeys_hang_on_tie) as subjects_with_journeys_by_tie,
        count(*) filter (where visits_hang_on_tie) as subjects_with_visits_by_tie,
        count(*) filter (where journeys_hang_on_tie or visits_hang_on_tie)
            as subjects_with_results_by_tie,
    from tied_subjects
    group by all
),

-- Every declared funnel has every measure: what nobody did is a 0, not a missing row.
funnel_totals as (
    select
        funnels.funnel_id,
        coalesce(subject_totals.subjects_with_journeys, 0) as subjects_with_journeys,
        coalesce(subject_totals.subjects_excluded, 0) as subjects_excluded,
        coalesce(subject_totals.subjects_never_started, 0) as subjects_never_started,
        coalesce(journey_totals.journeys, 0) as journeys,
        coalesce(journey_totals.journeys_undated, 0) as journeys_undated,
        coalesce(excluded_journey_totals.journeys_excluded, 0) as journeys_excluded,
        coalesce(entry_totals.stage_entries, 0) as stage_entries,
        coalesce(tie_totals.subjects_with_ties, 0) as subjects_with_ties,
        coalesce(tie_totals.subjects_with_journeys_by_tie, 0) as subjects_with_journeys_by_tie,
        coalesce(tie_totals.subjects_with_visits_by_tie, 0) as subjects_with_visits_by_tie,
        coalesce(tie_totals.subjects_with_results_by_tie, 0) as subjects_with_results_by_tie,
    from funnels
    left join subject_totals on funnels.funnel_id = subject_totals.funnel_id
    left join journey_totals on funnels.funnel_id = journey_totals.funnel_id
    left join excluded_journey_totals on funnels.funnel_id = excluded_journey_totals.funnel_id
    left join entry_totals on funnels.funnel_id = entry_totals.funnel_id
    left join tie_totals on funnels.funnel_id = tie_totals.funnel_id
),

totals_by_funnel as (
    select
        funnel_id,
        measure,
        counted,
    from funnel_totals
    unpivot (
        counted for measure in (
            subjects_with_journeys,
            subjects_excluded,
            subjects_never_started,
            journeys,
            journeys_undated,
            journeys_excluded,
            stage_entries,
            subjects_with_ties,
            subjects_with_journeys_by_tie,
            subjects_with_visits_by_tie,
            subjects_with_results_by_tie
        )
    )
),

order_totals as (
    select
        count(*) as orders_kept,
        count(*) filter (where reconciled_orders.order_id is null) as orders_not_known_yet,
        count(*) filter (where not reconciled_orders.is_leading) as orders_merged,
        count(*) filter (where reconciled_orders.is_leading) as purchases,
    from orders
    left join reconciled_orders
        on orders.order_id = reconciled_orders.order_id
),

totals_of_orders as (
    select
        measure,
        counted,
    from order_totals
    unpivot (
        counted for measure in (
            orders_kept,
            orders_not_known_yet,
            orders_merged,
            purchases
        )
    )
),

delivery_totals as (
    select
        source,
        table_name,
        measure,
        counted,
    from deliveries
    unpivot (
        counted for measure in (
            rows_delivered,
            rows_quarantined_at_loading,
            rows_suppressed,
            rows_loaded
        )
    )
),

table_totals as (
    select
        source,
        table_name,
        measure,
        counted,
    from row_counts
    unpivot (
        counted for measure in (
            rows_delivered,
            rows_quarantined_at_loading,
            rows_quarantined_in_staging,
            rows_repeated,
            rows_kept
        )
    )
),

clock_totals as (
    select
        source,
        count(*) filter (where is_corrected_time) as events_with_corrected_time,
        count(*) filter (where is_received_late) as events_received_late,
    from events
    group by all
),

totals_by_clock as (
    select
        source,
        measure,
        counted,
    from clock_totals
    unpivot (
        counted for measure in (
            events_with_corrected_time,
            events_received_late
        )
    )
)

select
    'delivery' as scope_type,
    source || '/' || table_name as scope,
    measure,
    cast(counted as bigint) as counted,
from delivery_totals

union all

select
    'table' as scope_type,
    source || '/' || table_name as scope,
    measure,
    cast(counted as bigint) as counted,
from table_totals

union all

select
    'clock' as scope_type,
    source as scope,
    measure,
    counted,
from totals_by_clock

union all

select
    'traffic' as scope_type,
    traffic_type as scope,
    measure,
    counted,
from totals_by_traffic_type

union all

select
    'records' as scope_type,
    'all' as scope,
    'records_kept' as measure,
    count(*) as counted,
from records

union all

select
    'records' as scope_type,
    'all' as scope,
    'records_merged' as measure,
    count(*) as counted,
from survivors
where record_id != surviving_record_id

union all

select
    'records' as scope_type,
    'all' as scope,
    'records_deleted' as measure,
    count(*) as counted,
from surviving_records
where is_deleted

union all

select
    'records' as scope_type,
    'all' as scope,
    'records_current' as measure,
    count(*) as counted,
from surviving_records
where not is_deleted

union all

select
    'orders' as scope_type,
    'all' as scope,
    measure,
    counted,
from totals_of_orders

union all

select
    'funnel' as scope_type,
    funnel_id as scope,
    measure,
    counted,
from totals_by_funnel

union all

select
    'exclusion' as scope_type,
    exclusion as scope,
    measure,
    counted,
from totals_by_exclusion
