with

funnel_plan_targets as (
    select
        funnel_id,
        period_grain,
        period_date,
        coalesce(band_name, 'all') as band_name,
        target_wins,
        target_amount,
    from {{ ref('funnel_plan_targets') }}
),

deal_size_bands as (
    select
        funnel_id,
        band_name,
        average_amount,
    from {{ ref('deal_size_bands') }}
),

won_deals as (
    select
        funnel_id,
        deal_size_band,
        amount,
    from {{ ref('int_deals') }}
    where outcome = 'won'
),

won_deals_of_bands as (
    select
        funnel_id,
        deal_size_band as band_name,
        amount,
    from won_deals
    where deal_size_band is not null

    union all

    select
        funnel_id,
        'all' as band_name,
        amount,
    from won_deals
),

observed_bands as (
    select
        funnel_id,
        band_name,
        count(amount) as won_deals,
        count(*) - count(amount) as won_amount_unknown,
        sum(amount) as won_amount,
    from won_deals_of_bands
    group by all
),

priced_targets as (
    select
        funnel_plan_targets.funnel_id,
        funnel_plan_targets.period_grain,
        funnel_plan_targets.period_date,
        funnel_plan_targets.band_name,
        funnel_plan_targets.target_wins,
        funnel_plan_targets.target_amount,
        deal_size_bands.average_amount as declared_average_amount,
        coalesce(observed_bands.won_deals, 0) as won_deals,
        coalesce(observed_bands.won_amount_unknown, 0) as won_amount_unknown,
        cast(
            {{ rate('observed_bands.won_amount', 'observed_bands.won_deals') }} as decimal(18, 4)
        ) as observed_average_amount,
    from funnel_plan_targets
    left join deal_size_bands
        on
            funnel_plan_targets.funnel_id = deal_size_bands.funnel_id
            and funnel_plan_targets.band_name = deal_size_bands.band_name
    left join observed_bands
        on
            funnel_plan_targets.funnel_id = observed_bands.funnel_id
            and funnel_plan_targets.band_name = observed_bands.band_name
),

averaged_targets as (
    select
        *,
        coalesce(declared_average_amount, observed_average_amount) as average_amount,
        case
            when declared_average_amount is not null then 'declared'
            when observed_average_amount is not null then 'observed'
            else 'unknown'
        end as average_source,
    from priced_targets
)

select
    funnel_id,
    period_grain,
    period_date,
    band_name,
    case when target_wins is not null then 'wins' else 'amount' end as target_given,
    average_source,
    declared_average_amount,
    observed_average_amount,
    won_deals,
    won_amount_unknown,
    average_amount,
    -- Amounts have four decimals: times 10,000 they are whole.
    coalesce(
        cast(target_wins as bigint),
        {{ rounded_up('target_amount * 10000', 'average_amount * 10000') }}
    ) as needed_wins,
    cast(coalesce(target_amount, target_wins * average_amount) as decimal(18, 4)) as needed_amount,
from averaged_targets
