with

triangles as (
    select
        funnel_id,
        cohort_grain,
        channel,
        period_number,
        acquired,
        active,
    from {{ ref('retention_triangles') }}
    where is_whole
),

counted as (
    select
        funnel_id,
        cohort_grain,
        channel,
        period_number,
        count(*) as cohorts,
        cast(sum(acquired) as bigint) as acquired,
        cast(sum(active) as bigint) as active,
    from triangles
    group by all
)

select
    funnel_id,
    cohort_grain,
    channel,
    period_number,
    cohorts,
    acquired,
    active,
    {{ rate('active', 'acquired') }} as retention_rate,
    {{ wilson_low('active', 'acquired') }} as retention_rate_low,
    {{ wilson_high('active', 'acquired') }} as retention_rate_high,
    {{ is_reportable('acquired') }} as retention_rate_is_reportable,
from counted
