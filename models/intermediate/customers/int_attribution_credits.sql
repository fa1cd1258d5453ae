with

periods as (
    select
        attribution_id,
        period_grain,
        period_date,
        period_id,
        conversions,
        cast(cast(amount as decimal(38, 4)) * 10000 as bigint) as amount_parts,
    from {{ ref('int_attribution_periods') }}
),

touch_credits as (
    select
        attribution_id,
        month_date,
        model,
        channel,
        conversion_parts,
        amount_parts,
    from {{ ref('int_touch_credits') }}
),

removal_effects as (
    select
        period_id,
        channel,
        removal_effect,
        cast(round(1e9 * removal_effect) as bigint) as weight,
    from {{ ref('int_removal_effects') }}
    where removal_effect is not null
),

touch_model_credits as (
    select
        periods.period_id,
        touch_credits.model,
        touch_credits.channel,
        cast(null as double) as removal_effect,
        cast(sum(touch_credits.conversion_parts) as bigint) as conversion_parts,
        cast(coalesce(sum(touch_credits.amount_parts), 0) as bigint) as amount_parts,
    from touch_credits
    inner join periods
        on
            touch_credits.attribution_id = periods.attribution_id
            and case
                when periods.period_grain = 'all' then touch_credits.month_date
                else periods.period_date
            end = touch_credits.month_date
    group by periods.period_id, touch_credits.model, touch_credits.channel
),

-- What any of the models credits to touches, for the removal effect to share out anew.
touched as (
    select
        period_id,
        cast(sum(conversion_parts) as bigint) as conversion_parts,
        cast(sum(amount_parts) as bigint) as amount_parts,
    from touch_model_credits
    where model = 'last_touch'
    group by period_id
),

summed_effects as (
    select
        period_id,
        channel,
        removal_effect,
        weight,
        cast(
            sum(weight) over (
                partition by period_id
                order by channel
                rows between unbounded preceding and current row
            ) as bigint
        ) as weights_until,
        cast(sum(weight) over (partition by period_id) as bigint) as weights,
    from removal_effects
),

removal_credits as (
    select
        summed_effects.period_id,
        'removal_effect' as model,
        summed_effects.channel,
        summed_effects.removal_effect,
        {{ proportional_part(
            'touched.conversion_parts', '(summed_effects.weights_until - summed_effects.weight)',
            'summed_effects.weights_until', 'summed_effects.weights'
        ) }} as conversion_parts,
        {{ proportional_part(
            'touched.amount_parts', '(summed_effects.weights_until - summed_effects.weight)',
            'summed_effects.weights_until', 'summed_effects.weights'
        ) }} as amount_parts,
    from summed_effects
    inner join touched
        on summed_effects.period_id = touched.period_id
),

models as (
    select distinct model
    from touch_model_credits
    union
    select 'removal_effect' as model
),

untouched as (
    select
        periods.period_id,
        models.model,
        '(no touchpoint)' as channel,
        cast(null as double) as removal_effect,
        1000000 * periods.conversions - coalesce(touched.conversion_parts, 0)
            as conversion_parts,
        periods.amount_parts - coalesce(touched.amount_parts, 0) as amount_parts,
    from periods
    left join touched
        on periods.period_id = touched.period_id
    cross join models
)

select * from touch_model_credits
union all
select * from removal_credits
union all
select * from untouched
where conversion_parts > 0
