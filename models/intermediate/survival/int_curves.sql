with

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('dim_funnels') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
        is_optional,
    from {{ ref('dim_funnel_stages') }}
),

ladder as (
    select
        funnel_stages.funnel_id,
        funnel_stages.stage_id,
        funnel_stages.stage_position,
        -- In any order nothing is imputed: an optional stage passed over is no base for the next.
        max(
            case
                when funnels.order_mode != 'any' or not funnel_stages.is_optional
                    then funnel_stages.stage_position
            end
        ) over (
            partition by funnel_stages.funnel_id
            order by funnel_stages.stage_position
            rows between unbounded preceding and 1 preceding
        ) as base_position,
    from funnel_stages
    inner join funnels
        on funnel_stages.funnel_id = funnels.funnel_id
    where funnel_stages.stage_position is not null
),

curves as (
    select
        funnel_id,
        'left' as event,
        stage_id as from_stage_id,
        cast(null as varchar) as to_stage_id,
    from funnel_stages

    union all

    select
        funnel_id,
        'won' as event,
        stage_id as from_stage_id,
        cast(null as varchar) as to_stage_id,
    from funnel_stages
    where stage_kind = 'open'

    union all

    select
        funnel_id,
        'lost' as event,
        stage_id as from_stage_id,
        cast(null as varchar) as to_stage_id,
    from funnel_stages
    where stage_kind = 'open'

    union all

    select
        funnel_id,
        'reached' as event,
        'entry' as from_stage_id,
        stage_id as to_stage_id,
    from ladder
    where stage_position > 1

    union all

    select
        ladder.funnel_id,
        'stepped' as event,
        bases.stage_id as from_stage_id,
        ladder.stage_id as to_stage_id,
    from ladder
    inner join ladder as bases
        on
            ladder.funnel_id = bases.funnel_id
            and ladder.base_position = bases.stage_position

    union all

    select
        from_stages.funnel_id,
        'visited' as event,
        from_stages.stage_id as from_stage_id,
        to_stages.stage_id as to_stage_id,
    from ladder as from_stages
    inner join ladder as to_stages
        on
            from_stages.funnel_id = to_stages.funnel_id
            and from_stages.stage_position < to_stages.stage_position
)

select
    cast(
        row_number() over (
            order by funnel_id, event, from_stage_id, to_stage_id nulls first
        ) as integer
    ) as curve_id,
    funnel_id,
    event,
    from_stage_id,
    to_stage_id,
from curves
