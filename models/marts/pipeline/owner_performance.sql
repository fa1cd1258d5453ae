with

owner_periods as (
    select
        funnel_id,
        level,
        name,
        period_grain,
        period_date,
    from {{ ref('int_owner_periods') }}
),

owner_deals as (
    select
        funnel_id,
        level,
        name,
        outcome,
        entered_date,
        ended_date,
        microseconds_to_outcome,
        amount,
        weighted_amount,
    from {{ ref('int_owner_deals') }}
),

entered_deals as (
    {% for grain in owner_grains() %}
        {{ 'union all' if not loop.first }}
        select
            funnel_id,
            level,
            name,
            '{{ grain }}' as period_grain,
            {{ cohort_date(grain, 'entered_date') }} as period_date,
            count(*) as entered,
        from owner_deals
        {% if grain != 'all' %}
            where entered_date is not null
        {% endif %}
        group by all
    {% endfor %}
),

closed_deals as (
    {% for grain in owner_grains() %}
        {{ 'union all' if not loop.first }}
        select
            funnel_id,
            level,
            name,
            '{{ grain }}' as period_grain,
            {{ cohort_date(grain, 'ended_date') }} as period_date,
            count(*) filter (where outcome = 'won') as won,
            count(*) filter (where outcome = 'lost') as lost,
            count(*) filter (where outcome = 'abandoned') as abandoned,
            count(*) as closed,
            count(amount) filter (where outcome = 'won') as amounts_won,
            sum(amount) filter (where outcome = 'won') as amount_won,
            {{ sorted_numbers("case when outcome = 'won' then amount end") }}
                as sorted_amounts_won,
            {{ sorted_numbers("case when outcome = 'won' then microseconds_to_outcome end") }}
                as sorted_microseconds_to_win,
        from owner_deals
        where
            outcome != 'open'
            {% if grain != 'all' %}
                and ended_date is not null
            {% endif %}
        group by all
    {% endfor %}
),

open_deals as (
    select
        funnel_id,
        level,
        name,
        'all' as period_grain,
        count(*) as open_deals,
        count(amount) as open_amounts,
        sum(amount) as open_amount,
        count(weighted_amount) as weighted_amounts,
        sum(weighted_amount) as weighted_amount,
    from owner_deals
    where outcome = 'open'
    group by all
),

performances as (
    select
        owner_periods.funnel_id,
        owner_periods.period_grain,
        owner_periods.period_date,
        owner_periods.level,
        owner_periods.name,
        coalesce(entered_deals.entered, 0) as entered,
        coalesce(closed_deals.won, 0) as won,
        coalesce(closed_deals.lost, 0) as lost,
        coalesce(closed_deals.abandoned, 0) as abandoned,
        coalesce(closed_deals.closed, 0) as closed,
        coalesce(closed_deals.amounts_won, 0) as amounts_won,
        closed_deals.amount_won,
        closed_deals.sorted_amounts_won,
        closed_deals.sorted_microseconds_to_win,
        case
            when owner_periods.period_grain = 'all' then coalesce(open_deals.open_deals, 0)
        end as open_deals,
        coalesce(open_deals.open_amounts, 0) as open_amounts,
        open_deals.open_amount,
        coalesce(open_deals.weighted_amounts, 0) as weighted_amounts,
        open_deals.weighted_amount,
    from owner_periods
    left join entered_deals
        on
            owner_periods.funnel_id = entered_deals.funnel_id
            and owner_periods.level = entered_deals.level
            and owner_periods.name = entered_deals.name
            and owner_periods.period_grain = entered_deals.period_grain
            and owner_periods.period_date is not distinct from entered_deals.period_date
    left join closed_deals
        on
            owner_periods.funnel_id = closed_deals.funnel_id
            and owner_periods.level = closed_deals.level
            and owner_periods.name = closed_deals.name
            and owner_periods.period_grain = closed_deals.period_grain
            and owner_periods.period_date is not distinct from closed_deals.period_date
    left join open_deals
        on
            owner_periods.funnel_id = open_deals.funnel_id
            and owner_periods.level = open_deals.level
            and owner_periods.name = open_deals.name
            and owner_periods.period_grain = open_deals.period_grain
),

totals as (
    select
        funnel_id,
        period_grain,
        period_date,
        won,
        closed,
    from performances
    where level = 'all'
),

compared_performances as (
    select
        performances.*,
        {{ rate('performances.won', 'performances.closed') }} as win_rate,
        {{ is_reportable('performances.closed') }} as win_rate_is_reportable,
        case when performances.level != 'all' then totals.won - performances.won end as rest_won,
        case when performances.level != 'all' then totals.closed - performances.closed end
            as rest_closed,
    from performances
    inner join totals
        on
            performances.funnel_id = totals.funnel_id
            and performances.period_grain = totals.period_grain
            and performances.period_date is not distinct from totals.period_date
),

bounded_performances as (
    select
        *,
        {{ newcombe_bound('won', 'closed', 'rest_won', 'rest_closed', 'low') }}
            as win_rate_difference_low,
        {{ newcombe_bound('won', 'closed', 'rest_won', 'rest_closed', 'high') }}
            as win_rate_difference_high,
        win_rate_is_reportable and level != 'all' and name != '(missing)' as is_ranked,
    from compared_performances
)

select
    funnel_id,
    period_grain,
    period_date,
    level,
    name,
    entered,
    won,
    lost,
    abandoned,
    closed,
    win_rate,
    {{ wilson_low('won', 'closed') }} as win_rate_low,
    {{ wilson_high('won', 'closed') }} as win_rate_high,
    win_rate_is_reportable,
    case
        when is_ranked
            then rank() over (
                partition by funnel_id, period_grain, period_date, level, is_ranked
                order by win_rate desc
            )
    end as win_rate_rank,
    rest_won,
    rest_closed,
    {{ rate('rest_won', 'rest_closed') }} as rest_win_rate,
    win_rate_difference_low,
    win_rate_difference_high,
    case
        when win_rate_is_reportable and {{ is_reportable('rest_closed') }}
            then win_rate_difference_low > 0 or win_rate_difference_high < 0
    end as differs_from_rest,
    -- Nothing is known of the amounts where none is, and nothing was won where nobody won.
    case
        when won = 0 then cast(0 as decimal(18, 4))
        else cast(amount_won as decimal(18, 4))
    end as amount_won,
    won - amounts_won as amount_won_unknown,
    cast({{ rate('amount_won', 'amounts_won') }} as decimal(18, 4)) as average_amount_won,
    cast({{ quantile_of_sorted('sorted_amounts_won', 0.5) }} as decimal(18, 4))
        as median_amount_won,
    {{ seconds_of(quantile_of_sorted('sorted_microseconds_to_win', 0.5)) }} / 86400
        as median_days_to_win,
    {{ seconds_of(median_low('sorted_microseconds_to_win')) }} / 86400 as median_days_to_win_low,
    {{ seconds_of(median_high('sorted_microseconds_to_win')) }} / 86400
        as median_days_to_win_high,
    {{ is_reportable(list_length('sorted_microseconds_to_win')) }}
        as median_days_to_win_is_reportable,
    open_deals,
    case
        when open_deals = 0 then cast(0 as decimal(18, 4))
        else cast(open_amount as decimal(18, 4))
    end as open_amount,
    open_deals - open_amounts as open_amount_unknown,
    case
        when open_deals = 0 then cast(0 as decimal(18, 4))
        else cast(weighted_amount as decimal(18, 4))
    end as weighted_amount,
    open_deals - weighted_amounts as weighted_amount_unknown,
from bounded_performances
