{#- Fewer earlier deals than this say too little of the chances of another. -#}
{%- set enough_deals = 10 -%}

with

periods as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        next_period_date,
    from {{ ref('int_forecast_periods') }}
),

deals as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        deal_id,
        stage_id,
        age_band,
        amount,
        is_expected,
        is_won_in_period,
        later_outcome,
    from {{ ref('int_forecast_deals') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        win_probability,
    from {{ ref('dim_funnel_stages') }}
),

absorption_rates as (
    select
        funnel_id,
        made_on,
        stage_id,
        win_probability,
    from {{ ref('int_absorption_rates') }}
),

outcomes_by_age as (
    select
        deals.funnel_id,
        deals.period_grain,
        deals.periods_ahead,
        periods.next_period_date,
        deals.stage_id,
        deals.age_band,
        count(*) as deals,
        count(*) filter (where deals.is_won_in_period) as won,
    from deals
    inner join periods
        on
            deals.funnel_id = periods.funnel_id
            and deals.period_grain = periods.period_grain
            and deals.periods_ahead = periods.periods_ahead
            and deals.made_on = periods.made_on
    group by all
),

-- What was known on a date are the periods that were over by then.
known_by_age as (
    select
        periods.funnel_id,
        periods.period_grain,
        periods.periods_ahead,
        periods.made_on,
        outcomes_by_age.stage_id,
        outcomes_by_age.age_band,
        sum(outcomes_by_age.deals) as deals,
        sum(outcomes_by_age.won) as won,
    from periods
    inner join outcomes_by_age
        on
            periods.funnel_id = outcomes_by_age.funnel_id
            and periods.period_grain = outcomes_by_age.period_grain
            and periods.periods_ahead = outcomes_by_age.periods_ahead
            and periods.made_on >= outcomes_by_age.next_period_date
    group by all
),

known_by_stage as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        stage_id,
        sum(deals) as deals,
        sum(won) as won,
    from known_by_age
    group by all
),

by_stage_and_age as (
    select
        deals.funnel_id,
        deals.period_grain,
        deals.periods_ahead,
        deals.made_on,
        'stage_and_age' as method,
        deals.deal_id,
        deals.amount,
        case
            when known_by_age.deals >= {{ enough_deals }}
                then {{ rate('known_by_age.won', 'known_by_age.deals') }}
            when known_by_stage.deals >= {{ enough_deals }}
                then {{ rate('known_by_stage.won', 'known_by_stage.deals') }}
        end as probability,
        cast(deals.is_won_in_period as integer) as came_true,
    from deals
    left join known_by_age
        on
            deals.funnel_id = known_by_age.funnel_id
            and deals.period_grain = known_by_age.period_grain
            and deals.periods_ahead = known_by_age.periods_ahead
            and deals.made_on = known_by_age.made_on
            and deals.stage_id = known_by_age.stage_id
            and deals.age_band = known_by_age.age_band
    left join known_by_stage
        on
            deals.funnel_id = known_by_stage.funnel_id
            and deals.period_grain = known_by_stage.period_grain
            and deals.periods_ahead = known_by_stage.periods_ahead
            and deals.made_on = known_by_stage.made_on
            and deals.stage_id = known_by_stage.stage_id
),

-- These tell whether a deal is won at all; that it is in the period, its expected close tells.
by_declaration as (
    select
        deals.funnel_id,
        deals.period_grain,
        deals.periods_ahead,
        deals.made_on,
        'declared_weights' as method,
        deals.deal_id,
        deals.amount,
        funnel_stages.win_probability as probability,
        case deals.later_outcome when 'won' then 1 when 'lost' then 0 end as came_true,
    from deals
    inner join funnel_stages
        on
            deals.funnel_id = funnel_stages.funnel_id
            and deals.stage_id = funnel_stages.stage_id
    where deals.is_expected
),

by_absorption as (
    select
        deals.funnel_id,
        deals.period_grain,
        deals.periods_ahead,
        deals.made_on,
        'transition_matrix' as method,
        deals.deal_id,
        deals.amount,
        absorption_rates.win_probability as probability,
        case deals.later_outcome when 'won' then 1 when 'lost' then 0 end as came_true,
    from deals
    left join absorption_rates
        on
            deals.funnel_id = absorption_rates.funnel_id
            and deals.made_on = absorption_rates.made_on
            and deals.stage_id = absorption_rates.stage_id
    where deals.is_expected
),

probabilities as (
    select * from by_stage_and_age
    union all
    select * from by_declaration
    union all
    select * from by_absorption
)

select
    funnel_id,
    period_grain,
    periods_ahead,
    made_on,
    method,
    deal_id,
    amount,
    -- Decimals, since sums of floats hang on the order of the rows.
    cast(probability as decimal(18, 12)) as probability,
    came_true,
from probabilities
