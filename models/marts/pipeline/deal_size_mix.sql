with

funnels as (
    select funnel_id,
    from {{ ref('dim_funnels') }}
    where {{ is_of_deals() }}
),

deals as (
    select
        funnel_id,
        outcome,
        amount,
        case
            when amount is null then '(unknown amount)'
            else coalesce(deal_size_band, '(no band)')
        end as band_name,
    from {{ ref('int_deals') }}
),

deal_size_bands as (
    select
        funnel_id,
        band_name,
        amount_from,
        amount_below,
        cast(
            row_number() over (partition by funnel_id order by amount_from) as integer
        ) as band_position,
    from {{ ref('deal_size_bands') }}
),

bands as (
    select
        deal_size_bands.funnel_id,
        deal_size_bands.band_name,
        deal_size_bands.band_position,
        deal_size_bands.amount_from,
        deal_size_bands.amount_below,
    from deal_size_bands
    inner join funnels
        on deal_size_bands.funnel_id = funnels.funnel_id

    union all

    select
        funnel_id,
        '(no band)' as band_name,
        cast(null as integer) as band_position,
        cast(null as decimal(18, 4)) as amount_from,
        cast(null as decimal(18, 4)) as amount_below,
    from funnels

    union all

    select
        funnel_id,
        '(unknown amount)' as band_name,
        cast(null as integer) as band_position,
        cast(null as decimal(18, 4)) as amount_from,
        cast(null as decimal(18, 4)) as amount_below,
    from funnels
),

deal_sets as (
    select 'won' as deal_set
    union all
    select 'open' as deal_set
    union all
    select 'all_entered' as deal_set
),

deals_of_sets as (
    select
        funnel_id,
        outcome as deal_set,
        band_name,
        amount,
    from deals
    where outcome in ('won', 'open')

    union all

    select
        funnel_id,
        'all_entered' as deal_set,
        band_name,
        amount,
    from deals
),

band_sums as (
    select
        funnel_id,
        deal_set,
        band_name,
        count(*) as deals,
        sum(amount) as amount,
    from deals_of_sets
    group by all
),

counted_bands as (
    select
        bands.funnel_id,
        deal_sets.deal_set,
        bands.band_name,
        bands.band_position,
        bands.amount_from,
        bands.amount_below,
        coalesce(band_sums.deals, 0) as deals,
        sum(coalesce(band_sums.deals, 0)) over bands_of_set as deals_of_set,
        sum(band_sums.amount) over bands_of_set as amount_of_set,
        sum(case when bands.band_name = '(unknown amount)' then band_sums.deals else 0 end)
            over bands_of_set as amount_unknown,
        -- A band without deals brings nothing. What deals of unknown amount bring is not known.
        case
            when bands.band_name != '(unknown amount)' then coalesce(band_sums.amount, 0)
        end as amount,
    from bands
    cross join deal_sets
    left join band_sums
        on
            bands.funnel_id = band_sums.funnel_id
            and deal_sets.deal_set = band_sums.deal_set
            and bands.band_name = band_sums.band_name
    window bands_of_set as (partition by bands.funnel_id, deal_sets.deal_set)
)

select
    funnel_id,
    deal_set,
    band_name,
    band_position,
    amount_from,
    amount_below,
    deals,
    cast(deals_of_set as bigint) as deals_of_set,
    {{ rate('deals', 'deals_of_set') }} as deals_share,
    {{ wilson_low('deals', 'deals_of_set') }} as deals_share_low,
    {{ wilson_high('deals', 'deals_of_set') }} as deals_share_high,
    {{ is_reportable('deals_of_set') }} as deals_share_is_reportable,
    cast(amount as decimal(18, 4)) as amount,
    cast(amount_of_set as decimal(18, 4)) as amount_of_set,
    cast(coalesce(amount_unknown, 0) as bigint) as amount_unknown,
    {{ rate('amount', 'amount_of_set') }} as amount_share,
    cast({{ rate('amount', 'deals') }} as decimal(18, 4)) as average_amount,
from counted_bands
