with

attributions as (
    select
        attribution_id,
        funnel_id,
    from {{ ref('attribution_settings') }}
),

touches as (
    select
        attribution_id,
        subject_id,
        journey_number,
        touch_number,
        touches,
        is_conversion,
        channel,
        touched_at,
        last_touched_at,
    from {{ ref('int_attribution_touches') }}
),

spelled_paths as (
    select
        attribution_id,
        subject_id,
        journey_number,
        is_conversion,
        touches,
        max({{ microseconds_between('touched_at', 'last_touched_at') }}) as microseconds_on_path,
        {{ dbt.listagg('channel', "' > '", 'order by touch_number') }} as first_channels,
    from touches
    where touch_number <= 20
    group by attribution_id, subject_id, journey_number, is_conversion, touches
),

journey_paths as (
    select
        attribution_id,
        is_conversion,
        first_channels || case when touches > 20 then ' > …' else '' end as path,
        microseconds_on_path,
    from spelled_paths
),

paths as (
    select
        attribution_id,
        path,
        count(*) as journeys,
    from journey_paths
    group by attribution_id, path
),

frequent_paths as (
    select
        attribution_id,
        path,
        row_number() over (
            partition by attribution_id
            order by journeys desc, path asc
        ) as path_rank,
    from paths
    qualify path_rank <= {{ var('paths_of_a_funnel') }}
),

counted as (
    select
        journey_paths.attribution_id,
        coalesce(frequent_paths.path, '(other paths)') as path,
        frequent_paths.path_rank,
        count(*) as journeys,
        count(case when journey_paths.is_conversion then 1 end) as conversions,
        {{ sorted_numbers(
            'case when journey_paths.is_conversion then journey_paths.microseconds_on_path end'
        ) }} as sorted_microseconds,
    from journey_paths
    left join frequent_paths
        on
            journey_paths.attribution_id = frequent_paths.attribution_id
            and journey_paths.path = frequent_paths.path
    group by all
),

totalled as (
    select
        *,
        cast(sum(journeys) over (partition by attribution_id) as bigint) as all_journeys,
    from counted
)

select
    totalled.attribution_id,
    attributions.funnel_id,
    totalled.path,
    totalled.path_rank,
    totalled.journeys,
    totalled.all_journeys,
    {{ rate('totalled.journeys', 'totalled.all_journeys') }} as share,
    {{ wilson_low('totalled.journeys', 'totalled.all_journeys') }} as share_low,
    {{ wilson_high('totalled.journeys', 'totalled.all_journeys') }} as share_high,
    {{ is_reportable('totalled.all_journeys') }} as share_is_reportable,
    totalled.conversions,
    {{ rate('totalled.conversions', 'totalled.journeys') }} as conversion_rate,
    {{ wilson_low('totalled.conversions', 'totalled.journeys') }} as conversion_rate_low,
    {{ wilson_high('totalled.conversions', 'totalled.journeys') }} as conversion_rate_high,
    {{ is_reportable('totalled.journeys') }} as conversion_rate_is_reportable,
    {{ seconds_of(quantile_of_sorted('totalled.sorted_microseconds', 0.5)) }} as median_seconds,
    {{ seconds_of(median_low('totalled.sorted_microseconds')) }} as median_seconds_low,
    {{ seconds_of(median_high('totalled.sorted_microseconds')) }} as median_seconds_high,
    {{ is_reportable(list_length('totalled.sorted_microseconds')) }} as median_is_reportable,
from totalled
inner join attributions
    on totalled.attribution_id = attributions.attribution_id
