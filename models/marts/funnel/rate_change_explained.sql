with

conversions as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        stage_id,
        stage_position,
        mature_reached,
        mature_reached_previous,
        mature_entered,
    from {{ ref('funnel_conversion') }}
    where
        cohort_grain in ('year', 'quarter', 'month', 'week')
        and segment_adds_up
        and segment_name != 'all'
        -- Everybody reaches the first stage.
        and stage_position > 1
),

spans as (
    select
        funnel_id,
        mature_date,
    from {{ ref('int_trend_spans') }}
),

rates as (
    select
        *,
        'step_rate' as rate_name,
        mature_reached as successes,
        mature_reached_previous as trials,
    from conversions
    union all
    select
        *,
        'overall_rate' as rate_name,
        mature_reached as successes,
        mature_entered as trials,
    from conversions
),

-- Each period stands here twice: as itself, and as the one before the next.
sides as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        stage_id,
        stage_position,
        rate_name,
        successes,
        trials,
        0 as previous_successes,
        0 as previous_trials,
    from rates
    union all
    select
        funnel_id,
        cohort_grain,
        {{ cohort_date_after('cohort_grain', 'cohort_date') }} as cohort_date,
        segment_name,
        segment_value,
        stage_id,
        stage_position,
        rate_name,
        0 as successes,
        0 as trials,
        successes as previous_successes,
        trials as previous_trials,
    from rates
),

-- A value that only one of the two periods has is a part of the change, too.
pairs as (
    select
        sides.funnel_id,
        sides.cohort_grain,
        sides.cohort_date,
        sides.segment_name,
        sides.segment_value,
        sides.stage_id,
        sides.stage_position,
        sides.rate_name,
        cast(sum(sides.successes) as bigint) as successes,
        cast(sum(sides.trials) as bigint) as trials,
        cast(sum(sides.previous_successes) as bigint) as previous_successes,
        cast(sum(sides.previous_trials) as bigint) as previous_trials,
    from sides
    inner join spans
        on
            sides.funnel_id = spans.funnel_id
            and {{ cohort_date_after('sides.cohort_grain', 'sides.cohort_date') }}
            <= spans.mature_date + interval 1 day
    group by all
    having sum(sides.trials) + sum(sides.previous_trials) > 0
),

totals as (
    select
        *,
        cast(sum(successes) over of_change as bigint) as total_successes,
        cast(sum(trials) over of_change as bigint) as total_trials,
        cast(sum(previous_successes) over of_change as bigint) as previous_total_successes,
        cast(sum(previous_trials) over of_change as bigint) as previous_total_trials,
        {{ is_reportable('least(trials, previous_trials)') }} as is_reportable,
    from pairs
    window of_change as (
        partition by funnel_id, cohort_grain, cohort_date, segment_name, stage_id, rate_name
    )
),

changes as (
    select
        *,
        {{ rate('successes', 'trials') }} as rate,
        {{ rate('previous_successes', 'previous_trials') }} as previous_rate,
        {{ rate('trials', 'total_trials') }} as share_of_trials,
        {{ rate('previous_trials', 'previous_total_trials') }} as previous_share_of_trials,
        {{ rate('total_successes', 'total_trials') }} as total_rate,
        {{ rate('previous_total_successes', 'previous_total_trials') }} as previous_total_rate,
        total_rate - previous_total_rate as total_change,
        -- Of whole numbers, so that what did not change is 0.
        sign(
            cast(total_successes as decimal(38, 0)) * previous_total_trials
            - cast(previous_total_successes as decimal(38, 0)) * total_trials
        ) as total_direction,
        sign(
            cast(successes as decimal(38, 0)) * previous_trials
            - cast(previous_successes as decimal(38, 0)) * trials
        ) as direction,
    from totals
    where total_trials > 0 and previous_total_trials > 0
),

-- A value without cases on one side has no rate there: it takes the one that it has, so that all it
-- adds is by the mix.
effects as (
    select
        *,
        (share_of_trials - previous_share_of_trials)
        * (
            coalesce(rate, previous_rate) + coalesce(previous_rate, rate)
            - total_rate - previous_total_rate
        ) / 2 as mix_effect,
        (coalesce(rate, previous_rate) - coalesce(previous_rate, rate))
        * (share_of_trials + previous_share_of_trials) / 2 as rate_effect,
        count(*) filter (where is_reportable) over of_change as reportable_values,
        coalesce(
            bool_and(direction = -total_direction and direction != 0)
            filter (where is_reportable) over of_change,
            false
        ) as is_opposed_by_all,
    from changes
    window of_change as (
        partition by funnel_id, cohort_grain, cohort_date, segment_name, stage_id, rate_name
    )
),

ranked_effects as (
    select
        *,
        mix_effect + rate_effect as effect,
        -- Exact decimals: a sum of floats would hang on the order of the rows.
        cast(sum(cast(rate_effect as decimal(38, 18))) over of_change as double)
            as total_rate_effect,
        -- What all the others do would not be a matter of the mix.
        reportable_values >= 2
        and is_opposed_by_all
        and sign(total_rate_effect) = -total_direction as is_reversal,
        row_number() over (
            of_change
            order by effect * case when total_direction < 0 then -1 else 1 end desc, segment_value
        ) as effect_rank,
    from effects
    window of_change as (
        partition by funnel_id, cohort_grain, cohort_date, segment_name, stage_id, rate_name
    )
),

explained as (
    select
        *,
        total_change - total_rate_effect as total_mix_effect,
        max(case when effect_rank = 1 then segment_value end) over of_change as leading_value,
        max(case when effect_rank = 1 then effect end) over of_change as leading_effect,
        case
            when abs(total_change) < 0.0005 then 'hardly moved'
            when total_direction > 0 then 'rose'
            else 'fell'
        end as went,
        case total_direction when 1 then 'fell' else 'rose' end as went_the_other_way,
    from ranked_effects
    window of_change as (
        partition by funnel_id, cohort_grain, cohort_date, segment_name, stage_id, rate_name
    )
)

select
    funnel_id,
    cohort_grain,
    cohort_date,
    segment_name,
    segment_value,
    stage_id,
    stage_position,
    rate_name,
    is_reportable,
    is_reversal,
    cast({{ cohort_date_before('cohort_grain', 'cohort_date') }} as date) as previous_cohort_date,
    successes,
    trials,
    rate,
    {{ wilson_low('successes', 'trials') }} as rate_low,
    {{ wilson_high('successes', 'trials') }} as rate_high,
    share_of_trials,
    previous_successes,
    previous_trials,
    previous_rate,
    {{ wilson_low('previous_successes', 'previous_trials') }} as previous_rate_low,
    {{ wilson_high('previous_successes', 'previous_trials') }} as previous_rate_high,
    previous_share_of_trials,
    mix_effect,
    rate_effect,
    effect,
    effect_rank,
    total_successes,
    total_trials,
    total_rate,
    previous_total_successes,
    previous_total_trials,
    previous_total_rate,
    total_change,
    total_mix_effect,
    total_rate_effect,
    case when is_reversal then 'Simpson''s reversal: ' else '' end
    || replace(rate_name, '_', ' ') || ' ' || went || ' from '
    || {{ in_percent('previous_total_rate') }} || ' to ' || {{ in_percent('total_rate') }}
    || ' (' || {{ in_points('total_change') }} || ' points: '
    || {{ in_points('total_mix_effect') }} || ' by the mix of ' || segment_name || ', '
    || {{ in_points('total_rate_effect') }} || ' by rates within it)'
    || case
        when is_reversal
            then
                ', although of every value of ' || segment_name || ' with enough cases it '
                || went_the_other_way || ': '
                || case
                    when total_direction < 0 then 'values with lower rates'
                    else 'values with higher rates'
                end
                || ' have a larger share.'
        else '; most by ' || leading_value || ' (' || {{ in_points('leading_effect') }} || ').'
    end as explanation,
from explained
