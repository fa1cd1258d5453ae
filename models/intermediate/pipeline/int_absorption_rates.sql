with

made_dates as (
    select distinct
        funnel_id,
        made_on,
        made_at,
    from {{ ref('int_forecast_periods') }}
),

transitions as (
    select
        transitions.funnel_id,
        transitions.from_stage_id,
        transitions.to_stage_id,
        transitions.transitioned_at,
        to_stages.stage_kind as to_stage_kind,
    from {{ ref('fct_stage_transitions') }} as transitions
    inner join {{ ref('dim_funnel_stages') }} as from_stages
        on
            transitions.funnel_id = from_stages.funnel_id
            and transitions.from_stage_id = from_stages.stage_id
    inner join {{ ref('dim_funnel_stages') }} as to_stages
        on
            transitions.funnel_id = to_stages.funnel_id
            and transitions.to_stage_id = to_stages.stage_id
    where from_stages.stage_kind = 'open'
),

counts as (
    select
        made_dates.funnel_id,
        made_dates.made_on,
        transitions.from_stage_id,
        -- A closed stage is where a deal stays: all won ones are one, and all lost ones.
        case transitions.to_stage_kind
            when 'open' then transitions.to_stage_id
            else transitions.to_stage_kind || ':'
        end as to_state,
        count(*) as transitions,
    from made_dates
    inner join transitions
        on
            made_dates.funnel_id = transitions.funnel_id
            and made_dates.made_at > transitions.transitioned_at
    group by all
),

-- Decimals, since sums of floats hang on the order of the rows.
steps as (
    select
        funnel_id,
        made_on,
        from_stage_id as from_state,
        to_state,
        cast(
            cast(transitions as double)
            / sum(transitions) over (partition by funnel_id, made_on, from_stage_id)
            as decimal(18, 12)
        ) as probability,
    from counts

    union all

    select
        funnel_id,
        made_on,
        'won:' as from_state,
        'won:' as to_state,
        cast(1 as decimal(18, 12)) as probability,
    from made_dates
),
{% for doubling in range(10) %}
    {%- set before = 'steps' if loop.first else 'steps_' ~ 2 ** doubling %}
    -- Twice as many steps: first as many as before, then as many again.
    steps_{{ 2 ** (doubling + 1) }} as (
        select
            earlier.funnel_id,
            earlier.made_on,
            earlier.from_state,
            later.to_state,
            cast(
                sum(cast(earlier.probability as decimal(38, 12)) * later.probability)
                as decimal(18, 12)
            ) as probability,
        from {{ before }} as earlier
        inner join {{ before }} as later
            on
                earlier.funnel_id = later.funnel_id
                and earlier.made_on = later.made_on
                and earlier.to_state = later.from_state
        group by earlier.funnel_id, earlier.made_on, earlier.from_state, later.to_state
    ),
{% endfor %}

departures as (
    select
        funnel_id,
        made_on,
        from_stage_id,
        cast(sum(transitions) as bigint) as transitions,
    from counts
    group by funnel_id, made_on, from_stage_id
)

select
    departures.funnel_id,
    departures.made_on,
    departures.from_stage_id as stage_id,
    departures.transitions,
    -- After a thousand steps next to nothing is still on its way.
    coalesce(steps_1024.probability, 0) as win_probability,
from departures
left join steps_1024
    on
        departures.funnel_id = steps_1024.funnel_id
        and departures.made_on = steps_1024.made_on
        and departures.from_stage_id = steps_1024.from_state
        and steps_1024.to_state = 'won:'
