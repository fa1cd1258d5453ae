with

periods as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        is_current,
        period_date,
        next_period_date,
        is_over,
    from {{ ref('int_forecast_periods') }}
),

bookings as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        period_date,
        next_period_date,
        wins,
        amount,
        wins_before,
        amount_before,
    from {{ ref('int_bookings') }}
),

won_from_open as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        count(*) as wins,
        cast(coalesce(sum(amount_now), 0) as decimal(18, 4)) as amount,
    from {{ ref('int_forecast_deals') }}
    where is_won_in_period
    group by all
),

-- What was won in a period of deals that were not open when its forecast was made.
other_bookings as (
    select
        bookings.*,
        bookings.wins - bookings.wins_before - coalesce(won_from_open.wins, 0) as other_wins,
        bookings.amount - bookings.amount_before - coalesce(won_from_open.amount, 0)
            as other_amount,
    from bookings
    left join won_from_open
        on
            bookings.funnel_id = won_from_open.funnel_id
            and bookings.period_grain = won_from_open.period_grain
            and bookings.periods_ahead = won_from_open.periods_ahead
            and bookings.made_on = won_from_open.made_on
),

earlier_bookings as (
    select
        periods.funnel_id,
        periods.period_grain,
        periods.periods_ahead,
        periods.made_on,
        bookings.wins,
        bookings.amount,
        row_number() over (
            partition by
                periods.funnel_id, periods.period_grain, periods.periods_ahead, periods.made_on
            order by bookings.period_date desc
        ) as periods_back,
    from periods
    inner join bookings
        on
            periods.funnel_id = bookings.funnel_id
            and periods.period_grain = bookings.period_grain
            and bookings.periods_ahead = 0
            and periods.made_on >= bookings.next_period_date
),

averages as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        count(*) as earlier_periods,
        cast(avg(wins) filter (where periods_back <= 3) as double) as wins,
        cast(avg(amount) filter (where periods_back <= 3) as double) as amount,
        {{ sample_variance('wins') }} as wins_variance,
        {{ sample_variance('amount') }} as amount_variance,
    from earlier_bookings
    where periods_back <= 12
    group by all
),

-- As far as periods were over when the forecast was made.
others as (
    select
        periods.funnel_id,
        periods.period_grain,
        periods.periods_ahead,
        periods.made_on,
        count(*) as earlier_periods,
        cast(avg(other_bookings.other_wins) as double) as wins,
        cast(avg(other_bookings.other_amount) as double) as amount,
        {{ sample_variance('other_bookings.other_wins') }} as wins_variance,
        {{ sample_variance('other_bookings.other_amount') }} as amount_variance,
    from periods
    inner join other_bookings
        on
            periods.funnel_id = other_bookings.funnel_id
            and periods.period_grain = other_bookings.period_grain
            and periods.periods_ahead = other_bookings.periods_ahead
            and periods.made_on >= other_bookings.next_period_date
    group by all
),

open_deals as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        method,
        count(*) as deals,
        count(*) filter (where probability is null) as deals_without_probability,
        count(*) filter (where amount is null) as deals_without_amount,
        cast(sum(probability) as double) as wins,
        cast(sum(cast(probability as decimal(38, 12)) * amount) as double) as amount,
        cast(sum(probability * (1 - probability)) as double) as wins_variance,
        cast(
            sum(
                cast(cast(amount as decimal(38, 4)) * amount as decimal(38, 2))
                * cast(probability * (1 - cast(probability as decimal(38, 12))) as decimal(8, 6))
            ) as double
        ) as amount_variance,
    from {{ ref('int_forecast_probabilities') }}
    group by all
),

methods as (
    {% for method in [
        'declared_weights', 'stage_and_age', 'transition_matrix', 'moving_average',
    ] %}
        {{ 'union all' if not loop.first }}
        select '{{ method }}' as method
    {% endfor %}
),

parts as (
    select
        periods.funnel_id,
        periods.period_grain,
        periods.periods_ahead,
        periods.made_on,
        periods.is_current,
        periods.period_date,
        periods.next_period_date,
        periods.is_over,
        methods.method,
        bookings.wins as wins_at_end,
        bookings.amount as amount_at_end,
        bookings.wins_before,
        bookings.amount_before,
        coalesce(open_deals.deals, 0) as deals,
        coalesce(open_deals.deals_without_probability, 0) as deals_without_probability,
        coalesce(open_deals.deals_without_amount, 0) as deals_without_amount,
        -- Nothing to expect is 0; something that no probability is known of is not known.
        case
            when methods.method = 'moving_average' then null
            when open_deals.deals is null then 0
            else open_deals.wins
        end as open_wins,
        case
            when methods.method = 'moving_average' then null
            when open_deals.deals is null then 0
            else open_deals.amount
        end as open_amount,
        case
            when methods.method = 'stage_and_age' then others.wins
            when methods.method = 'moving_average'
                then {{ at_least('averages.wins - bookings.wins_before', '0') }}
        end as other_wins,
        case
            when methods.method = 'stage_and_age' then others.amount
            when methods.method = 'moving_average'
                then {{ at_least('averages.amount - bookings.amount_before', '0') }}
        end as other_amount,
        case
            when methods.method = 'stage_and_age' then others.earlier_periods
            when methods.method = 'moving_average' then averages.earlier_periods
        end as earlier_periods,
        case methods.method
            when 'moving_average' then averages.wins_variance
            when 'stage_and_age' then coalesce(open_deals.wins_variance, 0) + others.wins_variance
            else coalesce(open_deals.wins_variance, 0)
        end as wins_variance,
        case methods.method
            when 'moving_average' then averages.amount_variance
            when 'stage_and_age'
                then coalesce(open_deals.amount_variance, 0) + others.amount_variance
            else coalesce(open_deals.amount_variance, 0)
        end as amount_variance,
    from periods
    cross join methods
    inner join bookings
        on
            periods.funnel_id = bookings.funnel_id
            and periods.period_grain = bookings.period_grain
            and periods.periods_ahead = bookings.periods_ahead
            and periods.made_on = bookings.made_on
    left join open_deals
        on
            periods.funnel_id = open_deals.funnel_id
            and periods.period_grain = open_deals.period_grain
            and periods.periods_ahead = open_deals.periods_ahead
            and periods.made_on = open_deals.made_on
            and methods.method = open_deals.method
    left join averages
        on
            periods.funnel_id = averages.funnel_id
            and periods.period_grain = averages.period_grain
            and periods.periods_ahead = averages.periods_ahead
            and periods.made_on = averages.made_on
    left join others
        on
            periods.funnel_id = others.funnel_id
            and periods.period_grain = others.period_grain
            and periods.periods_ahead = others.periods_ahead
            and periods.made_on = others.made_on
),

expectations as (
    select
        *,
        case method
            when 'moving_average' then wins_before + other_wins
            when 'stage_and_age' then wins_before + open_wins + other_wins
            else wins_before + open_wins
        end as expected_wins,
        case method
            when 'moving_average' then cast(amount_before as double) + other_amount
            when 'stage_and_age' then cast(amount_before as double) + open_amount + other_amount
            else cast(amount_before as double) + open_amount
        end as expected_amount,
    from parts
)

select
    funnel_id,
    period_grain,
    periods_ahead,
    made_on,
    is_current,
    period_date,
    next_period_date,
    is_over,
    method,
    wins_at_end,
    amount_at_end,
    wins_before,
    amount_before,
    deals,
    deals_without_probability,
    deals_without_amount,
    earlier_periods,
    open_wins,
    open_amount,
    other_wins,
    other_amount,
    expected_wins,
    expected_amount,
    wins_variance,
    amount_variance,
from expectations
