with

attribution_settings as (
    select
        attribution_id,
        half_life_days,
    from {{ ref('attribution_settings') }}
),

touches as (
    select
        attribution_id,
        funnel_id,
        subject_id,
        journey_number,
        touch_number,
        touches,
        month_date,
        amount,
        channel,
        touched_at,
        last_touched_at,
    from {{ ref('int_attribution_touches') }}
    where is_conversion
),

-- The ages of all touches of a path count from its last: what lies between that and the conversion
-- is a factor of all of them alike.
decaying_touches as (
    select
        touches.*,
        cast(
            round(
                1e9 * power(
                    2e0,
                    -{{ microseconds_between('touches.touched_at', 'touches.last_touched_at') }}
                    / (attribution_settings.half_life_days * 86400e6)
                )
            ) as bigint
        ) as decayed_weight,
    from touches
    inner join attribution_settings
        on touches.attribution_id = attribution_settings.attribution_id
),

summed_touches as (
    select
        *,
        cast(
            sum(decayed_weight) over (
                partition by attribution_id, funnel_id, subject_id, journey_number
                order by touch_number
                rows between unbounded preceding and current row
            ) as bigint
        ) as decayed_weights_until,
        cast(
            sum(decayed_weight) over (
                partition by attribution_id, funnel_id, subject_id, journey_number
            ) as bigint
        ) as decayed_weights,
    from decaying_touches
),

models as (
    select 'first_touch' as model
    union all
    select 'last_touch' as model
    union all
    select 'linear' as model
    union all
    select 'position' as model
    union all
    select 'time_decay' as model
),

modelled_touches as (
    select
        models.model,
        summed_touches.attribution_id,
        summed_touches.month_date,
        summed_touches.channel,
        summed_touches.touch_number,
        summed_touches.touches,
        summed_touches.decayed_weight,
        summed_touches.decayed_weights_until,
        summed_touches.decayed_weights,
        cast(cast(summed_touches.amount as decimal(38, 4)) * 10000 as bigint) as amount_parts,
    from summed_touches
    cross join models
),

-- Whole numbers in proportion to the credits. By position the first and the last of n weigh twice
-- as much as the n - 2 between them, one each, do together: 40%, 20% and 40%.
weighted_touches as (
    select
        attribution_id,
        month_date,
        model,
        channel,
        amount_parts,
        case model
            when 'first_touch' then case when touch_number = 1 then 0 else 1 end
            when 'last_touch' then 0
            when 'linear' then touch_number - 1
            when 'position'
                then case
                    when touches <= 2 or touch_number = 1 then touch_number - 1
                    else 2 * (touches - 2) + touch_number - 2
                end
            when 'time_decay' then decayed_weights_until - decayed_weight
        end as weights_before,
        case model
            when 'first_touch' then 1
            when 'last_touch' then case when touch_number = touches then 1 else 0 end
            when 'linear' then touch_number
            when 'position'
                then case
                    when touches <= 2 then touch_number
                    when touch_number = touches then 5 * (touches - 2)
                    else 2 * (touches - 2) + touch_number - 1
                end
            when 'time_decay' then decayed_weights_until
        end as weights_until,
        case model
            when 'linear' then touches
            when 'position' then case when touches <= 2 then touches else 5 * (touches - 2) end
            when 'time_decay' then decayed_weights
            else 1
        end as weights,
    from modelled_touches
),

touch_credits as (
    select
        attribution_id,
        month_date,
        model,
        channel,
        {{ proportional_part('1000000', 'weights_before', 'weights_until', 'weights') }}
            as conversion_parts,
        {{ proportional_part('amount_parts', 'weights_before', 'weights_until', 'weights') }}
            as amount_parts,
    from weighted_touches
)

select
    attribution_id,
    month_date,
    model,
    channel,
    cast(sum(conversion_parts) as bigint) as conversion_parts,
    cast(sum(amount_parts) as bigint) as amount_parts,
from touch_credits
group by attribution_id, month_date, model, channel
