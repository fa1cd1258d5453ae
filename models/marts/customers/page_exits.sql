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
        evidence_name,
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

counted as (
    select
        coalesce(evidence_name, '(missing)') as evidence_name,
        page,
        count(*) as views,
        count(case when is_entrance then 1 end) as entrances,
        count(case when is_exit then 1 end) as exits,
        count(case when is_entrance and is_exit then 1 end) as bounces,
        {{ sorted_numbers('microseconds_to_next') }} as sorted_microseconds,
    from numbered_events
    group by all
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
    {{ seconds_of(quantile_of_sorted('sorted_microseconds', 0.5)) }} as median_dwell_seconds,
    {{ seconds_of(median_low('sorted_microseconds')) }} as median_dwell_seconds_low,
    {{ seconds_of(median_high('sorted_microseconds')) }} as median_dwell_seconds_high,
    {{ is_reportable(list_length('sorted_microseconds')) }} as median_dwell_is_reportable,
from totalled
