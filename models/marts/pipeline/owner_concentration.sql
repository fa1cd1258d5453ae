with

performances as (
    select
        funnel_id,
        period_grain,
        period_date,
        name,
        won,
        amount_won,
        amount_won_unknown,
    from {{ ref('owner_performance') }}
    where level = 'seller'
),

results as (
    select
        funnel_id,
        period_grain,
        period_date,
        'wins' as measure,
        name,
        cast(won as decimal(18, 4)) as result,
        0 as wins_unknown,
    from performances

    union all

    select
        funnel_id,
        period_grain,
        period_date,
        'amount' as measure,
        name,
        amount_won as result,
        amount_won_unknown as wins_unknown,
    from performances
),

periods as (
    select
        funnel_id,
        period_grain,
        period_date,
        measure,
        count(*) filter (where name != '(missing)' and result is null) as sellers_unknown,
        cast(sum(wins_unknown) as bigint) as wins_unknown,
        coalesce(sum(result) filter (where name = '(missing)'), 0) as without_owner,
    from results
    group by all
),

placed_results as (
    select
        funnel_id,
        period_grain,
        period_date,
        measure,
        name,
        result,
        row_number() over (
            partition by funnel_id, period_grain, period_date, measure
            order by result asc, name desc
        ) as place,
        count(*) over by_period as sellers,
        count(*) over (
            partition by funnel_id, period_grain, period_date, measure, result
        ) as sellers_alike,
        cast({{ rate('sum(result) over by_period', 'count(*) over by_period') }} as decimal(18, 4))
            as mean,
    from results
    where name != '(missing)' and result is not null
    window by_period as (partition by funnel_id, period_grain, period_date, measure)
),

compared_results as (
    select
        *,
        max(sellers_alike) over (partition by funnel_id, period_grain, period_date, measure)
            as most_alike,
    from placed_results
),

sums as (
    select
        funnel_id,
        period_grain,
        period_date,
        measure,
        sellers,
        mean,
        most_alike,
        sum(result) as total,
        max_by(name, place) as best_owner_id,
        max(result) as best,
        max(result) - min(result) as result_range,
        min(result) filter (where sellers_alike = most_alike) as mode,
        {{ sorted_numbers('result') }} as sorted_results,
        -- The mean is rounded: what that adds to the squares is taken off them below.
        sum(result - mean) as differences,
        -- Products of short decimals are worked out in 64 bits, which large amounts exceed.
        sum(cast(result - mean as decimal(38, 4)) * cast(result - mean as decimal(38, 4)))
            as squares,
        sum(cast(result as decimal(38, 4)) * cast(2 * place - sellers - 1 as decimal(10, 0)))
            as placed_total,
    from compared_results
    group by all
),

concentrations as (
    select
        periods.funnel_id,
        periods.period_grain,
        periods.period_date,
        periods.measure,
        coalesce(sums.sellers, 0) as sellers,
        periods.sellers_unknown,
        periods.wins_unknown,
        periods.without_owner,
        sums.total,
        sums.best_owner_id,
        sums.best,
        {{ rate('sums.best', 'sums.total') }} as best_share,
        sums.mean,
        cast({{ quantile_of_sorted('sums.sorted_results', 0.25) }} as decimal(18, 4)) as p25,
        cast({{ quantile_of_sorted('sums.sorted_results', 0.5) }} as decimal(18, 4)) as median,
        cast({{ quantile_of_sorted('sums.sorted_results', 0.75) }} as decimal(18, 4)) as p75,
        sums.mode,
        sums.most_alike,
        sums.result_range,
        sqrt(
            greatest(
                0e0,
                {{ rate('sums.squares', 'sums.sellers') }}
                - power({{ rate('sums.differences', 'sums.sellers') }}, 2)
            )
        ) as standard_deviation,
        {{ rate('sums.placed_total', 'sums.sellers') }} / nullif(cast(sums.total as double), 0)
            as gini,
    from periods
    left join sums
        on
            periods.funnel_id = sums.funnel_id
            and periods.period_grain = sums.period_grain
            and periods.period_date is not distinct from sums.period_date
            and periods.measure = sums.measure
)

select
    funnel_id,
    period_grain,
    period_date,
    measure,
    sellers,
    sellers_unknown,
    wins_unknown,
    cast(without_owner as decimal(18, 4)) as without_owner,
    cast(total as decimal(18, 4)) as total,
    case when total > 0 then best_owner_id end as best_owner_id,
    cast(best as decimal(18, 4)) as best,
    best_share,
    mean,
    p25,
    median,
    p75,
    cast(mode as decimal(18, 4)) as mode,
    most_alike as mode_sellers,
    cast(result_range as decimal(18, 4)) as result_range,
    standard_deviation,
    gini,
    coalesce(mean < p25 or mean > p75, false) as is_mean_misleading,
    case
        when mean > p75
            then 'A few with much pull the mean up; say the median.'
        when mean < p25
            then 'A few with little pull the mean down; say the median.'
    end as note,
from concentrations
