{#- Fewer past forecasts than this do not tell which method is the best. -#}
{%- set enough_forecasts = 3 -%}

with

forecasts as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        method,
        made_on,
        is_current,
        is_over,
        expected_wins,
        wins_at_end,
        expected_amount,
        amount_at_end,
        amount_at_end between expected_amount_low_80 and expected_amount_high_80 as is_in_80,
        amount_at_end between expected_amount_low_95 and expected_amount_high_95 as is_in_95,
    from {{ ref('int_forecasts') }}
),

usable_methods as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        method,
    from forecasts
    where is_current and expected_amount is not null
),

-- Methods are held against one another on the dates on which each of them had something to say.
judged_dates as (
    select
        forecasts.funnel_id,
        forecasts.period_grain,
        forecasts.periods_ahead,
        forecasts.made_on,
    from forecasts
    inner join usable_methods
        on
            forecasts.funnel_id = usable_methods.funnel_id
            and forecasts.period_grain = usable_methods.period_grain
            and forecasts.periods_ahead = usable_methods.periods_ahead
            and forecasts.method = usable_methods.method
    where forecasts.is_over
    group by all
    having count(forecasts.expected_amount) = count(*)
),

judged_forecasts as (
    select
        forecasts.funnel_id,
        forecasts.period_grain,
        forecasts.periods_ahead,
        forecasts.method,
        judged_dates.made_on is not null and forecasts.expected_amount is not null as is_judged,
        -- Decimals, since sums of floats hang on the order of the rows.
        cast(forecasts.expected_wins - forecasts.wins_at_end as decimal(18, 6)) as wins_error,
        forecasts.wins_at_end,
        cast(forecasts.expected_amount as decimal(18, 4)) - forecasts.amount_at_end
            as amount_error,
        forecasts.amount_at_end,
        forecasts.is_in_80,
        forecasts.is_in_95,
    from forecasts
    left join judged_dates
        on
            forecasts.funnel_id = judged_dates.funnel_id
            and forecasts.period_grain = judged_dates.period_grain
            and forecasts.periods_ahead = judged_dates.periods_ahead
            and forecasts.made_on = judged_dates.made_on
),

probabilities as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        method,
        count(*) as judged_deals,
        sum(
            cast(probability - came_true as decimal(38, 12))
            * cast(probability - came_true as decimal(18, 12))
        ) as squared_error,
    from {{ ref('int_judged_probabilities') }}
    group by all
),

errors as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        method,
        count(*) filter (where is_judged) as forecasts,
        sum(abs(wins_error)) filter (where is_judged) as wins_error,
        sum(wins_at_end) filter (where is_judged) as wins,
        sum(abs(amount_error)) filter (where is_judged) as amount_error,
        sum(amount_error) filter (where is_judged) as amount_bias,
        sum(amount_at_end) filter (where is_judged) as amount,
        count(*) filter (where is_judged and is_in_80) as in_80,
        count(*) filter (where is_judged and is_in_95) as in_95,
        count(*) filter (where is_judged and is_in_80 is not null) as with_interval,
    from judged_forecasts
    group by all
),

ranked_errors as (
    select
        errors.*,
        usable_methods.method is not null
        and errors.forecasts >= {{ enough_forecasts }} as may_be_recommended,
        row_number() over (
            partition by errors.funnel_id, errors.period_grain, errors.periods_ahead
            order by
                case
                    when
                        usable_methods.method is not null
                        and errors.forecasts >= {{ enough_forecasts }}
                        then 0
                    else 1
                end,
                -- Usable methods are judged on the same dates, so that sums can be compared.
                errors.amount_error nulls last,
                errors.method
        ) as error_rank,
    from errors
    left join usable_methods
        on
            errors.funnel_id = usable_methods.funnel_id
            and errors.period_grain = usable_methods.period_grain
            and errors.periods_ahead = usable_methods.periods_ahead
            and errors.method = usable_methods.method
)

select
    ranked_errors.funnel_id,
    ranked_errors.period_grain,
    ranked_errors.periods_ahead,
    ranked_errors.method,
    ranked_errors.forecasts,
    cast(ranked_errors.wins as bigint) as actual_wins,
    {{ rate('ranked_errors.wins_error', 'ranked_errors.wins') }} as wins_error_share,
    cast(ranked_errors.amount as decimal(18, 4)) as actual_amount,
    {{ rate('ranked_errors.amount_error', 'ranked_errors.amount') }} as amount_error_share,
    {{ rate('ranked_errors.amount_bias', 'ranked_errors.amount') }} as amount_bias_share,
    ranked_errors.with_interval as forecasts_with_interval,
    {{ rate('ranked_errors.in_80', 'ranked_errors.with_interval') }} as share_in_80,
    {{ rate('ranked_errors.in_95', 'ranked_errors.with_interval') }} as share_in_95,
    coalesce(probabilities.judged_deals, 0) as judged_deals,
    {{ rate('probabilities.squared_error', 'probabilities.judged_deals') }} as brier_score,
    ranked_errors.error_rank = 1 and ranked_errors.may_be_recommended as is_recommended,
from ranked_errors
left join probabilities
    on
        ranked_errors.funnel_id = probabilities.funnel_id
        and ranked_errors.period_grain = probabilities.period_grain
        and ranked_errors.periods_ahead = probabilities.periods_ahead
        and ranked_errors.method = probabilities.method
