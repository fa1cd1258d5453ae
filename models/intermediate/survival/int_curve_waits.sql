with

run as (
    select as_of from {{ ref('int_run') }}
),

horizons as (
    select {{ sorted_numbers('horizon_days') }} as horizon_days,
    from {{ ref('horizons') }}
),

followed_cells as (
    select
        cell_id,
        followed_cell_number,
    from {{ ref('int_followed_cells') }}
),

curves as (
    select
        curves.curve_id,
        counted_funnels.waits_are_rounded,
    from {{ ref('int_curves') }} as curves
    inner join {{ ref('int_counted_funnels') }} as counted_funnels
        on curves.funnel_id = counted_funnels.funnel_id
),

waits as (
    select
        cell_id,
        curve_id,
        started_at,
        microseconds,
        fate,
    from {{ ref('int_stage_waits') }}

    union all

    select
        cell_id,
        curve_id,
        started_at,
        microseconds,
        fate,
    from {{ ref('int_reach_waits') }}
),

followed_waits as (
    select
        followed_cells.followed_cell_number,
        waits.curve_id,
        waits.microseconds,
        {{ greatest_up_to(
            'horizons.horizon_days',
            microseconds_between('waits.started_at', 'run.as_of') ~ ' // 86400000000'
        ) }} as horizon_followed,
        waits.fate,
        -- Never past a horizon: what came within it must stay within it.
        case
            when curves.waits_are_rounded
                then least(
                    {{ rounded_wait('waits.microseconds') }},
                    {{ least_from(
                        'horizons.horizon_days', '(waits.microseconds + 86399999999) // 86400000000'
                    ) }} * 86400000000
                )
            else waits.microseconds
        end as counted_microseconds,
    from waits
    cross join run
    cross join horizons
    inner join curves
        on waits.curve_id = curves.curve_id
    inner join followed_cells
        on waits.cell_id = followed_cells.cell_id
),

counted_waits as (
    select
        followed_cell_number,
        curve_id,
        counted_microseconds,
        horizon_followed,
        max(microseconds) as longest_microseconds,
        max(microseconds) filter (where fate = 'censored') as longest_censored_microseconds,
        count(*) as waits,
        count(*) filter (where fate = 'event') as events,
        count(*) filter (where fate = 'competing') as others,
    from followed_waits
    group by all
)

select
    counted_waits.followed_cell_number,
    counted_waits.curve_id,
    counted_waits.counted_microseconds as microseconds,
    counted_waits.longest_microseconds,
    counted_waits.longest_censored_microseconds,
    coalesce(
        {{ greatest_up_to(
            'horizons.horizon_days', '(counted_waits.counted_microseconds - 1) // 86400000000'
        ) }},
        0
    ) as horizon_passed,
    coalesce(counted_waits.horizon_followed, 0) as horizon_followed,
    counted_waits.waits,
    counted_waits.events,
    counted_waits.others,
from counted_waits
cross join horizons
