with

events as (
    select
        session_id,
        evidence_name,
        coalesce(
            nullif({{ url_without_query(json_text('properties', 'page_path')) }}, ''),
            nullif({{ json_text('properties', 'page_type') }}, '')
        ) as page,
        file_number,
        source_row,
        occurred_at,
    from {{ ref('int_evidence') }}
    where evidence_type = 'event' and session_id is not null
),

numbered_events as (
    select
        coalesce(evidence_name, '(missing)') as evidence_name,
        coalesce(page, '(no page)') as page,
        {{ microseconds_between('occurred_at', 'lead(occurred_at) over session') }}
            as microseconds_to_next,
        lead(occurred_at) over session is null as is_exit,
        row_number() over session = 1 as is_entrance,
    from events
    window session as (
        partition by session_id
        order by occurred_at, file_number, source_row
    )
),

placed_events as (
    select
        *,
        row_number() over dwell_time as place,
        count(microseconds_to_next) over (
            dwell_time rows between unbounded preceding and unbounded following
        ) as times,
    from numbered_events
    window dwell_time as (
        partition by evidence_name, page
        order by microseconds_to_next nulls last
    )
),

counted as (
    select
        evidence_name,
        page,
        count(*) as views,
        count(case when is_entrance then 1 end) as entrances,
        count(case when is_exit then 1 end) as exits,
        count(case when is_entrance and is_exit then 1 end) as bounces,
        max(times) as times,
        {{ quantile_of_placed('microseconds_to_next', 'place', 'times', 0.5) }}
            as median_microseconds,
        {{ median_bound_of_placed('microseconds_to_next', 'place', 'times', 'low') }}
            as median_microseconds_low,
        {{ median_bound_of_placed('microseconds_to_next', 'place', 'times', 'high') }}
            as median_microseconds_high,
    from placed_events
    group by evidence_name, page
),

totalled as (
    select
        *,
        cast(sum(exits) over () as bigint) as sessions,
    from counted
)

select
    evidence_name,
    page,
    views,
    entrances,
    exits,
    bounces,
    sessions,
    {{ rate('exits', 'sessions') }} as exit_share,
    {{ wilson_low('exits', 'sessions') }} as exit_share_low,
    {{ wilson_high('exits', 'sessions') }} as exit_share_high,
    {{ rate('exits', 'views') }} as exit_rate,
    {{ wilson_low('exits', 'views') }} as exit_rate_low,
    {{ wilson_high('exits', 'views') }} as exit_rate_high,
    {{ is_reportable('views') }} as exit_rate_is_reportable,
    {{ seconds_of('median_microseconds') }} as median_dwell_seconds,
    {{ seconds_of('median_microseconds_low') }} as median_dwell_seconds_low,
    {{ seconds_of('median_microseconds_high') }} as median_dwell_seconds_high,
    {{ is_reportable('times') }} as median_dwell_is_reportable,
from totalled
