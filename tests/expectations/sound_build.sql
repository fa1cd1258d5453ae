-- A small build in which every gate passes: sixty daily deliveries of a web source, a sales system
-- that was delivered once, and nine months of journeys up to the as-of of 1 March 2024.
create schema raw;
create schema raw_generic;
create schema staging;
create schema intermediate;
create schema core;
create schema marts;

-- Weekends bring a tenth. The first of January 2024 is a Monday, the last delivery a Thursday.
create table raw.loads as
select
    'web-' || day as load_id,
    'web' as source,
    'events' as table_name,
    'web/events/' || day || '.csv' as file,
    'hash-' || day as content_hash,
    timestamp '2024-02-29 02:00:00' as first_seen_at,
    timestamp '2024-01-01' + to_days(cast(day as integer)) as delivered_at,
    timestamp '2024-01-03' + to_days(cast(day as integer)) as plausible_until,
    'loaded' as status,
    cast(null as varchar) as refused_reason,
    true as is_current,
    if(day % 7 in (5, 6), 200, 2000) as rows_read,
    if(day % 7 in (5, 6), 198, 1980) as rows_loaded,
    if(day % 7 in (5, 6), 2, 20) as rows_quarantined,
    cast(null as varchar) as new_columns,
    'run-1' as run_id,
    0 as rows_suppressed
from range(60) as days (day)
union all
select
    'crm-records', 'crm', 'records', 'crm/records/all.csv', 'hash-crm',
    timestamp '2024-02-29 02:00:00', timestamp '2024-02-29 02:00:00',
    timestamp '2024-03-01 02:00:00', 'loaded', null, true, 50, 50, 0, null, 'run-1', 0;

create table raw.quarantined_rows as
select
    source,
    table_name,
    file,
    row_number,
    load_id,
    delivered_at,
    'occurred_at' as column_name,
    'not_a_timestamp' as reason,
    'a timestamp' as expected,
    'yesterday' as text
from raw.loads
inner join range(1, 1000) as numbers (row_number)
    on numbers.row_number <= loads.rows_quarantined;

create table raw_generic.events as
select
    source as _source,
    file as _file,
    numbers.row_number as _row,
    load_id as _load_id
from raw.loads
inner join range(1, 3000) as numbers (row_number)
    on numbers.row_number <= loads.rows_loaded
where table_name = 'events';

create table raw_generic.records as
select
    source as _source,
    file as _file,
    numbers.row_number as _row,
    load_id as _load_id
from raw.loads
inner join range(1, 3000) as numbers (row_number)
    on numbers.row_number <= loads.rows_loaded
where table_name = 'records';

create table raw_generic.stage_changes as select * from raw_generic.events where false;
create table raw_generic.field_changes as select * from raw_generic.events where false;
create table raw_generic.orders as select * from raw_generic.events where false;
create table raw_generic.activities as select * from raw_generic.events where false;
create table raw_generic.accounts as select * from raw_generic.events where false;
create table raw_generic.contacts as select * from raw_generic.events where false;
create table raw_generic.owners as select * from raw_generic.events where false;

-- Of a hundred events sixty are visits, thirty carts and ten payments; three in ten have no user.
create table staging.stg_events as
select
    _source as source,
    _load_id || '-' || _row as event_id,
    loads.delivered_at - interval 12 hour as occurred_at,
    case
        when _row % 100 < 60 then 'visit'
        when _row % 100 < 90 then 'Add to cart'
        else 'payment'
    end as event_name,
    if(_row % 10 < 3, null, 'user-' || _row) as user_id,
    'device-' || _row as anonymous_id,
    'session-' || _row as session_id,
    _row % 1000 = 0 as is_ambiguous_time,
    loads.delivered_at,
    _file as source_file,
    _row as source_row
from raw_generic.events
inner join raw.loads on events._load_id = loads.load_id;

create table staging.stg_row_counts (
    source varchar,
    table_name varchar,
    rows_delivered bigint,
    rows_quarantined_at_loading bigint,
    rows_quarantined_in_staging bigint,
    rows_repeated bigint,
    rows_kept bigint
);
insert into staging.stg_row_counts values
    ('web', 'events', 1000, 10, 40, 50, 900),
    ('crm', 'records', 50, 0, 0, 0, 50);

create table staging.stg_quarantined_rows as
select
    'web' as source,
    'events' as table_name,
    'web/events/0.csv' as source_file,
    row_number as source_row,
    'event_id' as column_name,
    'key_conflict' as reason,
    'one content' as expected,
    'another' as text
from range(1, 41) as numbers (row_number);

create table intermediate.int_run as
select
    timestamp '2024-03-01' as as_of,
    'UTC' as reporting_timezone,
    'USD' as reporting_currency;

create table intermediate.int_control_totals (
    funnel_id varchar, measure varchar, rows_in bigint, rows_accounted bigint
);
insert into intermediate.int_control_totals values
    (null, 'events', 850, 850),
    ('web', 'entries', 9316, 9316);

create table intermediate.int_subject_states as
select
    'web' as funnel_id,
    'visitor-' || number as subject_id,
    case
        when number < 900 then 'with_journeys'
        when number < 950 then 'excluded'
        else 'never_started'
    end as subject_state
from range(1000) as numbers (number);

create table core.dim_funnels as
select * from (
    values ('web', 'ordered'), ('sales', 'furthest')
) as funnels (funnel_id, order_mode);

create table core.dim_funnel_stages as
select * from (
    values
        ('web', 'visit', 'open', 1),
        ('web', 'cart', 'open', 2),
        ('web', 'paid', 'won', 3),
        ('sales', 'offer', 'open', 1),
        ('sales', 'deal', 'won', 2),
        ('sales', 'no_deal', 'lost', null)
) as stages (funnel_id, stage_id, stage_kind, stage_position);

-- Twenty subjects a day since June: ten only visit, six reach the cart, four pay. The sales funnel
-- has ten lost deals of 50, five won ones of 200 and five open ones that nobody dated.
create table core.fct_journeys as
select
    'web' as funnel_id,
    'visitor-' || day || '-' || number as subject_id,
    1 as journey_number,
    case when number < 10 then 1 when number < 16 then 2 else 3 end as furthest_stage_position,
    case when number < 10 then 'visit' when number < 16 then 'cart' else 'paid' end
        as furthest_stage_id,
    case when number >= 16 then 'won' when day < 267 then 'abandoned' else 'open' end as outcome,
    timestamp '2023-06-01' + to_days(cast(day as integer)) + to_hours(cast(number as integer))
        as entered_at,
    cast(if(number >= 16, 100, null) as decimal(18, 4)) as amount
from range(274) as days (day)
cross join range(20) as numbers (number)
union all
select
    'sales', 'deal-' || number, 1,
    if(number < 15, 2, 1),
    if(number >= 10 and number < 15, 'deal', 'offer'),
    case when number < 10 then 'lost' when number < 15 then 'won' else 'open' end,
    if(number < 15, timestamp '2024-01-10', null),
    if(number < 10, 50, 200)
from range(20) as numbers (number);

alter table core.fct_journeys add column entered_date date;
update core.fct_journeys set entered_date = cast(entered_at as date);

create table core.fct_journey_segments as
select
    funnel_id,
    subject_id,
    journey_number,
    'channel' as segment_name,
    if(hash(subject_id) % 2 = 0, 'search', '(missing)') as segment_value
from core.fct_journeys
where funnel_id = 'web';

create table core.fct_stage_visits as
select
    fct_journeys.funnel_id,
    subject_id,
    row_number() over (
        partition by fct_journeys.funnel_id, subject_id order by dim_funnel_stages.stage_position
    ) as visit_number,
    journey_number,
    dim_funnel_stages.stage_id,
    dim_funnel_stages.stage_position,
    dim_funnel_stages.stage_kind,
    entered_at
from core.fct_journeys
inner join core.dim_funnel_stages
    on fct_journeys.funnel_id = dim_funnel_stages.funnel_id
    and fct_journeys.furthest_stage_position >= dim_funnel_stages.stage_position;

create table marts.funnel_conversion as
with segmented as (
    select *, 'all' as segment_name, 'all' as segment_value from core.fct_journeys
    union all
    select fct_journeys.*, segment_name, segment_value
    from core.fct_journeys
    inner join core.fct_journey_segments using (funnel_id, subject_id, journey_number)
),

cohorts as (
    select *, 'all' as cohort_grain, cast(null as date) as cohort_date from segmented
    union all
    select segmented.*, grain, cast(date_trunc(grain, entered_date) as date)
    from segmented
    cross join (values ('year'), ('quarter'), ('month'), ('week'), ('day')) as grains (grain)
    where entered_date is not null
)

select
    cohorts.funnel_id,
    cohort_grain,
    cohort_date,
    segment_name,
    segment_value,
    stage_id,
    stage_position,
    count(*) as entered,
    count(*) filter (where furthest_stage_position >= stage_position) as reached,
    count(*) filter (where furthest_stage_position >= stage_position) / count(*) as overall_rate,
    count(*) filter (where furthest_stage_position >= stage_position) / count(*) - 0.02
        as overall_rate_low,
    count(*) filter (where furthest_stage_position >= stage_position) / count(*) + 0.02
        as overall_rate_high,
    max(entered_date) < date '2024-02-22' as is_mature
from cohorts
inner join core.dim_funnel_stages
    on cohorts.funnel_id = dim_funnel_stages.funnel_id
    and dim_funnel_stages.stage_position is not null
group by all;

create table marts.conversion_matrix as
select
    funnel_id,
    'all' as cohort_grain,
    cast(null as date) as cohort_date,
    'all' as segment_name,
    'all' as segment_value,
    from_stage_id,
    to_stage_id,
    sum(transitions) as transitions,
    sum(transitions) as visits
from (
    select funnel_id, 'entry' as from_stage_id, stage_id as to_stage_id, 1 as transitions
    from core.fct_stage_visits
    where visit_number = 1
    union all
    select funnel_id, stage_id, 'somewhere', 1 from core.fct_stage_visits
)
group by all;

create table marts.drop_off_points as
select
    funnel_id,
    'all' as cohort_grain,
    cast(null as date) as cohort_date,
    'all' as segment_name,
    'all' as segment_value,
    furthest_stage_id as stage_id,
    count(*) filter (where outcome = 'won') as won,
    count(*) filter (where outcome = 'lost') as lost,
    count(*) filter (where outcome = 'abandoned') as abandoned,
    count(*) filter (where outcome = 'open') as still_open,
    sum(amount) filter (where outcome in ('lost', 'abandoned')) as amount_lost
from core.fct_journeys
group by all;

create table marts.cycle_times as
select distinct funnel_id, stage_id as from_stage_id, 'any_exit' as to_stage_id
from core.fct_stage_visits;

create table marts.after_drop_off as
select
    funnel_id,
    'all' as cohort_grain,
    cast(null as date) as cohort_date,
    'all' as segment_name,
    'all' as segment_value,
    furthest_stage_id as stage_id,
    'nothing' as next_type,
    'nothing' as next_name,
    count(*) as journeys,
    count(*) as dropped
from core.fct_journeys
where outcome in ('lost', 'abandoned')
group by all;
