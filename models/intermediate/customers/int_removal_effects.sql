{%- set doublings = 12 -%}

with

periods as (
    select
        attribution_id,
        period_grain,
        period_date,
        period_id,
    from {{ ref('int_attribution_periods') }}
),

touches as (
    select
        attribution_id,
        month_date,
        touch_number,
        is_conversion,
        channel,
        next_channel,
    from {{ ref('int_attribution_touches') }}
),

-- A channel that follows itself is passed once: whether and where the path goes on is the same.
moves as (
    select
        attribution_id,
        month_date,
        'start' as from_state,
        'channel:' || channel as to_state,
    from touches
    where touch_number = 1
    union all
    select
        attribution_id,
        month_date,
        'channel:' || channel as from_state,
        case
            when next_channel is not null then 'channel:' || next_channel
            when is_conversion then 'conversion'
            else 'failure'
        end as to_state,
    from touches
    where channel is distinct from next_channel
),

month_moves as (
    select
        attribution_id,
        month_date,
        from_state,
        to_state,
        count(*) as moves,
    from moves
    group by all
),

period_moves as (
    select
        periods.period_id,
        month_moves.from_state,
        month_moves.to_state,
        cast(sum(month_moves.moves) as bigint) as moves,
    from month_moves
    inner join periods
        on
            month_moves.attribution_id = periods.attribution_id
            and case
                when periods.period_grain = 'all' then month_moves.month_date
                else periods.period_date
            end = month_moves.month_date
    group by all
),

-- Decimals, since sums of floats hang on the order of the rows.
probabilities as (
    select
        period_id,
        from_state,
        to_state,
        cast(
            cast(moves as double) / sum(moves) over (partition by period_id, from_state)
            as decimal(18, 12)
        ) as probability,
    from period_moves
),

-- Moves between states that a path goes on from; it ends in the others.
steps_1 as (
    select
        period_id,
        from_state,
        to_state,
        probability,
    from probabilities
    where to_state not in ('conversion', 'failure')
),

-- How often a path that is in one state is in another, now or within less than so many steps.
visits_1 as (
    select distinct
        period_id,
        from_state,
        from_state as to_state,
        cast(1 as decimal(19, 12)) as visits,
    from probabilities
),
{% for doubling in range(doublings) %}
    {%- set before, after = 2 ** doubling, 2 ** (doubling + 1) %}
    visits_{{ after }} as (
        select
            period_id,
            from_state,
            to_state,
            cast(sum(visits) as decimal(19, 12)) as visits,
        from (
            select
                period_id,
                from_state,
                to_state,
                cast(visits as decimal(38, 24)) as visits,
            from visits_{{ before }}
            union all
            select
                steps.period_id,
                steps.from_state,
                visits.to_state,
                cast(steps.probability * visits.visits as decimal(38, 24)) as visits,
            from steps_{{ before }} as steps
            inner join visits_{{ before }} as visits
                on
                    steps.period_id = visits.period_id
                    and steps.to_state = visits.from_state
        ) as earlier_and_later_visits
        group by period_id, from_state, to_state
    ),

    steps_{{ after }} as (
        select
            earlier.period_id,
            earlier.from_state,
            later.to_state,
            cast(sum(earlier.probability * later.probability) as decimal(18, 12)) as probability,
        from steps_{{ before }} as earlier
        inner join steps_{{ before }} as later
            on
                earlier.period_id = later.period_id
                and earlier.to_state = later.from_state
        group by earlier.period_id, earlier.from_state, later.to_state
    ),
{% endfor %}

conversion_rates as (
    select
        visits.period_id,
        visits.from_state,
        cast(sum(visits.visits * probabilities.probability) as decimal(18, 12))
            as conversion_rate,
    from visits_{{ 2 ** doublings }} as visits
    inner join probabilities
        on
            visits.period_id = probabilities.period_id
            and visits.to_state = probabilities.from_state
    where probabilities.to_state = 'conversion'
    group by visits.period_id, visits.from_state
),

channel_visits as (
    select
        from_start.period_id,
        from_start.to_state,
        from_start.visits,
        once_there.visits as visits_once_there,
    from visits_{{ 2 ** doublings }} as from_start
    inner join visits_{{ 2 ** doublings }} as once_there
        on
            from_start.period_id = once_there.period_id
            and from_start.to_state = once_there.from_state
            and from_start.to_state = once_there.to_state
    where from_start.from_state = 'start' and from_start.to_state != 'start'
),

chances as (
    select
        channel_visits.period_id,
        channel_visits.to_state,
        cast(channel_visits.visits as double)
        / cast(channel_visits.visits_once_there as double) as reach_rate,
        cast(coalesce(conversion_rates.conversion_rate, 0) as double) as conversion_rate,
        cast(start_rates.conversion_rate as double) as start_conversion_rate,
    from channel_visits
    left join conversion_rates
        on
            channel_visits.period_id = conversion_rates.period_id
            and channel_visits.to_state = conversion_rates.from_state
    left join conversion_rates as start_rates
        on
            channel_visits.period_id = start_rates.period_id
            and start_rates.from_state = 'start'
)

-- Without a channel, whoever would come to it fails: what is lost is the chance of ever coming to
-- it times that of converting from there. Of twelve digits three are spent on rounding.
select
    period_id,
    substr(to_state, 9) as channel,
    round(reach_rate, 9) as reach_rate,
    round(conversion_rate, 9) as conversion_rate,
    round(start_conversion_rate, 9) as start_conversion_rate,
    round(reach_rate * conversion_rate / nullif(start_conversion_rate, 0), 9) as removal_effect,
from chances
