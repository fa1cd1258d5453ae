{#- Below this the score is too far from normal for its p-value to be believed (Cochran). -#}
{%- set fewest_expected = 5 -%}

with

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        segment_adds_up,
        mature_journeys,
    from {{ ref('int_cohort_segments') }}
    -- A day differs from the day before by what day of the week it is.
    where cohort_grain != 'day'
),

cohort_stages as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        mature_reached,
    from {{ ref('int_cohort_stages') }}
),

funnels as (
    select
        funnel_id,
        order_mode,
    from {{ ref('dim_funnels') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        is_optional,
    from {{ ref('dim_funnel_stages') }}
),

mature_stages as (
    select
        cohort_segments.cohort_segment_id,
        cohort_stages.stage_id,
        cohort_stages.stage_position,
        cohort_segments.mature_journeys as mature_entered,
        cohort_stages.mature_reached,
        -- The base of a step is that of funnel_conversion.
        min(
            case
                when funnels.order_mode != 'any' or not funnel_stages.is_optional
                    then cohort_stages.mature_reached
            end
        ) over (
            partition by cohort_segments.cohort_segment_id
            order by cohort_stages.stage_position
            rows between unbounded preceding and 1 preceding
        ) as mature_reached_previous,
    from cohort_segments
    inner join cohort_stages
        on cohort_segments.cohort_segment_id = cohort_stages.cohort_segment_id
    inner join funnels
        on cohort_segments.funnel_id = funnels.funnel_id
    inner join funnel_stages
        on
            cohort_segments.funnel_id = funnel_stages.funnel_id
            and cohort_stages.stage_id = funnel_stages.stage_id
),

rates as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        'step_rate' as rate_name,
        mature_reached as successes,
        mature_reached_previous as trials,
    from mature_stages
    where mature_reached_previous > 0
    union all
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        'overall_rate' as rate_name,
        mature_reached as successes,
        mature_entered as trials,
    from mature_stages
    where mature_entered > 0
),

segment_pairs as (
    select
        cohort_segments.cohort_segment_id,
        everybody.cohort_segment_id as other_cohort_segment_id,
        'rest_of_segment' as compared_with,
    from cohort_segments
    inner join cohort_segments as everybody
        on
            cohort_segments.funnel_id = everybody.funnel_id
            and cohort_segments.cohort_grain = everybody.cohort_grain
            and cohort_segments.cohort_date is not distinct from everybody.cohort_date
    where cohort_segments.segment_name != 'all' and everybody.segment_name = 'all'
    union all
    select
        cohort_segments.cohort_segment_id,
        the_period_before.cohort_segment_id as other_cohort_segment_id,
        'previous_period' as compared_with,
    from cohort_segments
    inner join cohort_segments as the_period_before
        on
            cohort_segments.funnel_id = the_period_before.funnel_id
            and cohort_segments.cohort_grain = the_period_before.cohort_grain
            and {{ cohort_date_before(
                'cohort_segments.cohort_grain', 'cohort_segments.cohort_date'
            ) }} = the_period_before.cohort_date
            and cohort_segments.segment_name = the_period_before.segment_name
            and cohort_segments.segment_value = the_period_before.segment_value
),

rate_pairs as (
    select
        segment_pairs.cohort_segment_id,
        segment_pairs.compared_with,
        rates.stage_id,
        rates.stage_position,
        rates.rate_name,
        rates.successes,
        rates.trials,
        -- Whoever is not under the value is the rest, also where others stand under several.
        case
            when segment_pairs.compared_with = 'rest_of_segment'
                then other_rates.successes - rates.successes
            else other_rates.successes
        end as other_successes,
        case
            when segment_pairs.compared_with = 'rest_of_segment'
                then other_rates.trials - rates.trials
            else other_rates.trials
        end as other_trials,
    from segment_pairs
    inner join rates
        on segment_pairs.cohort_segment_id = rates.cohort_segment_id
    inner join rates as other_rates
        on
            segment_pairs.other_cohort_segment_id = other_rates.cohort_segment_id
            and rates.stage_id = other_rates.stage_id
            and rates.rate_name = other_rates.rate_name
),

differences as (
    select
        cohort_segment_id,
        compared_with,
        stage_id,
        stage_position,
        rate_name,
        successes,
        trials,
        {{ rate('successes', 'trials') }} as rate,
        {{ wilson_low('successes', 'trials') }} as rate_low,
        {{ wilson_high('successes', 'trials') }} as rate_high,
        other_successes,
        other_trials,
        {{ rate('other_successes', 'other_trials') }} as other_rate,
        {{ wilson_low('other_successes', 'other_trials') }} as other_rate_low,
        {{ wilson_high('other_successes', 'other_trials') }} as other_rate_high,
        successes + other_successes as pooled_successes,
        trials + other_trials as pooled_trials,
        rate - other_rate as difference,
        difference / sqrt(
            -- The variance is 0 where the pooled rate is 0 or 1.
            nullif(
                {{ rate('pooled_successes', 'pooled_trials') }}
                * {{ rate('pooled_trials - pooled_successes', 'trials') }} / other_trials,
                0
            )
        ) as score,
        {{ is_reportable('least(trials, other_trials)') }} as is_reportable,
        -- The fewest successes or failures that one side is expected to have, without a division.
        least(trials, other_trials)
        * least(pooled_successes, pooled_trials - pooled_successes)
        >= {{ fewest_expected }} * pooled_trials as is_score_normal,
    from rate_pairs
    where other_trials > 0
),

tested_differences as (
    select
        cohort_segments.funnel_id,
        cohort_segments.cohort_grain,
        cohort_segments.cohort_date,
        cohort_segments.segment_name,
        cohort_segments.segment_value,
        cohort_segments.segment_adds_up,
        differences.compared_with,
        differences.stage_id,
        differences.stage_position,
        differences.rate_name,
        differences.successes,
        differences.trials,
        differences.rate,
        differences.rate_low,
        differences.rate_high,
        differences.other_successes,
        differences.other_trials,
        differences.other_rate,
        differences.other_rate_low,
        differences.other_rate_high,
        differences.difference,
        {{ normal_two_sided_p('differences.score') }} as p_value,
        differences.is_reportable,
        differences.is_reportable and differences.is_score_normal as is_compared,
        case when is_compared then p_value end as compared_p_value,
    from differences
    inner join cohort_segments
        on differences.cohort_segment_id = cohort_segments.cohort_segment_id
),

-- Holm: of the p-values of a family, the least counts as many times as there are, the next one once
-- less, and so on, and none less than the one before it.
counted_differences as (
    select
        *,
        count(compared_p_value) over family as comparisons,
        compared_p_value * count(compared_p_value) over (
            family order by compared_p_value desc nulls last
        ) as p_value_times,
    from tested_differences
    window
        family as (
            partition by
                funnel_id, cohort_grain, cohort_date, segment_name, compared_with, rate_name
        )
)

select
    funnel_id,
    cohort_grain,
    cohort_date,
    segment_name,
    segment_value,
    segment_adds_up,
    stage_id,
    stage_position,
    rate_name,
    compared_with,
    successes,
    trials,
    rate,
    rate_low,
    rate_high,
    other_successes,
    other_trials,
    other_rate,
    other_rate_low,
    other_rate_high,
    difference,
    difference - sqrt(power(rate - rate_low, 2) + power(other_rate_high - other_rate, 2))
        as difference_low,
    difference + sqrt(power(rate_high - rate, 2) + power(other_rate - other_rate_low, 2))
        as difference_high,
    p_value,
    comparisons,
    case
        when is_compared
            then least(
                1e0,
                max(p_value_times) over (
                    partition by
                        funnel_id, cohort_grain, cohort_date, segment_name, compared_with, rate_name
                    order by compared_p_value nulls last
                )
            )
    end as p_value_corrected,
    is_reportable,
    is_compared,
    coalesce(p_value_corrected < 0.05, false) as is_significant,
from counted_differences
