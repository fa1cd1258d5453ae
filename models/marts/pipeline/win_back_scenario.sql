with recursive

conversions as (
    select
        funnel_id,
        stage_id,
        stage_position,
        mature_entered,
        mature_reached_previous,
        mature_reached,
        mature_overall_rate,
        mature_step_rate,
        mature_step_rate_low,
        mature_step_rate_high,
        mature_step_rate_is_reportable,
    from {{ ref('funnel_conversion') }}
    where cohort_grain = 'all' and segment_name = 'all'
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
        stage_kind,
        is_optional,
    from {{ ref('dim_funnel_stages') }}
),

measures as (
    select
        funnel_id,
        stage_id,
        measure_name,
        uplift,
        uplift_kind,
    from {{ ref('win_back_measures') }}
),

measured_funnels as (
    select
        funnel_id,
        count(*) as measures,
    from measures
    group by all
),

won_journeys as (
    select
        funnel_id,
        sum(amount) as amount,
        count(amount) as amount_known,
        count(*) - count(amount) as amount_unknown,
    from {{ ref('fct_journeys') }}
    where outcome = 'won' and is_mature
    group by all
),

-- The gains of a stage's rate come before the points that are added to it.
numbered_measures as (
    select
        funnel_id,
        stage_id,
        uplift,
        uplift_kind,
        row_number() over (
            partition by funnel_id, stage_id
            order by uplift_kind desc, measure_name asc
        ) as measure_number,
    from measures
),

stages as (
    select
        conversions.funnel_id,
        conversions.stage_id,
        conversions.stage_position,
        funnel_stages.stage_kind,
        conversions.mature_entered,
        conversions.mature_reached_previous,
        conversions.mature_reached,
        conversions.mature_overall_rate,
        conversions.mature_step_rate,
        conversions.mature_step_rate_low,
        conversions.mature_step_rate_high,
        conversions.mature_step_rate_is_reportable,
        -- In any order, nobody has to pass an optional stage to get further.
        funnels.order_mode != 'any' or not funnel_stages.is_optional as is_passed,
    from conversions
    inner join measured_funnels
        on conversions.funnel_id = measured_funnels.funnel_id
    inner join funnels
        on conversions.funnel_id = funnels.funnel_id
    inner join funnel_stages
        on
            conversions.funnel_id = funnel_stages.funnel_id
            and conversions.stage_id = funnel_stages.stage_id
),

-- A product of a few rates, one after the other: there is no aggregate for it on all engines.
measured_rates as (
    select
        funnel_id,
        stage_id,
        cast(0 as bigint) as measure_number,
        mature_step_rate as step_rate,
    from stages
    union all
    select
        measured_rates.funnel_id,
        measured_rates.stage_id,
        numbered_measures.measure_number,
        case
            when measured_rates.step_rate is not null
                then
                    least(
                        1e0,
                        case numbered_measures.uplift_kind
                            when 'relative'
                                then measured_rates.step_rate * (1e0 + numbered_measures.uplift)
                            else measured_rates.step_rate + numbered_measures.uplift
                        end
                    )
        end as step_rate,
    from measured_rates
    inner join numbered_measures
        on
            measured_rates.funnel_id = numbered_measures.funnel_id
            and measured_rates.stage_id = numbered_measures.stage_id
            and measured_rates.measure_number + 1 = numbered_measures.measure_number
),

rates_after as (
    select
        funnel_id,
        stage_id,
        max(measure_number) as measures,
        -- The last one is null where all are, and then there is none.
        max_by(step_rate, measure_number) as step_rate,
    from measured_rates
    group by funnel_id, stage_id
),

steps as (
    select
        stages.funnel_id,
        stages.stage_position,
        stages.is_passed,
        stages.mature_overall_rate,
        stages.mature_step_rate as rate_before,
        rates_after.step_rate as rate_after,
    from stages
    inner join rates_after
        on
            stages.funnel_id = rates_after.funnel_id
            and stages.stage_id = rates_after.stage_id
),

chained_rates as (
    select
        funnel_id,
        stage_position,
        mature_overall_rate as overall_before,
        mature_overall_rate as overall_after,
        mature_overall_rate as passed_before,
        mature_overall_rate as passed_after,
    from steps
    where stage_position = 1
    union all
    select
        chained_rates.funnel_id,
        steps.stage_position,
        chained_rates.passed_before * steps.rate_before as overall_before,
        chained_rates.passed_after * steps.rate_after as overall_after,
        case
            when steps.is_passed then chained_rates.passed_before * steps.rate_before
            else chained_rates.passed_before
        end as passed_before,
        case
            when steps.is_passed then chained_rates.passed_after * steps.rate_after
            else chained_rates.passed_after
        end as passed_after,
    from chained_rates
    inner join steps
        on
            chained_rates.funnel_id = steps.funnel_id
            and chained_rates.stage_position + 1 = steps.stage_position
),

won_stages as (
    select
        stages.funnel_id,
        min(stages.stage_position) as stage_position,
    from stages
    where stages.stage_kind = 'won'
    group by all
),

won_rates as (
    select
        won_stages.funnel_id,
        won_stages.stage_position,
        chained_rates.overall_before,
    from won_stages
    inner join chained_rates
        on
            won_stages.funnel_id = chained_rates.funnel_id
            and won_stages.stage_position = chained_rates.stage_position
),

scenarios as (
    select
        stages.funnel_id,
        stages.stage_id,
        stages.stage_position,
        stages.stage_kind,
        rates_after.measures,
        stages.mature_entered,
        stages.mature_reached_previous,
        stages.mature_reached,
        stages.mature_step_rate as rate_before,
        stages.mature_step_rate_low as rate_before_low,
        stages.mature_step_rate_high as rate_before_high,
        stages.mature_step_rate_is_reportable as rate_before_is_reportable,
        rates_after.step_rate as rate_after,
        chained_rates.overall_before,
        chained_rates.overall_after,
        stages.mature_entered * (chained_rates.overall_after - chained_rates.overall_before)
            as added,
        case
            when rates_after.measures = 0 then 0e0
            when not stages.is_passed and stages.stage_position != won_rates.stage_position then 0e0
            when stages.stage_position > won_rates.stage_position then 0e0
            else
                stages.mature_entered * won_rates.overall_before
                * (rates_after.step_rate / nullif(stages.mature_step_rate, 0) - 1)
        end as wins_alone,
        stages.stage_position = won_rates.stage_position as is_first_won_stage,
        cast(won_journeys.amount as double) / nullif(won_journeys.amount_known, 0)
            as average_amount,
        coalesce(won_journeys.amount_unknown, 0) as amount_unknown,
    from stages
    inner join rates_after
        on
            stages.funnel_id = rates_after.funnel_id
            and stages.stage_id = rates_after.stage_id
    inner join chained_rates
        on
            stages.funnel_id = chained_rates.funnel_id
            and stages.stage_position = chained_rates.stage_position
    left join won_rates
        on stages.funnel_id = won_rates.funnel_id
    left join won_journeys
        on stages.funnel_id = won_journeys.funnel_id
)

select
    funnel_id,
    stage_id,
    stage_position,
    stage_kind,
    measures,
    mature_entered,
    mature_reached_previous,
    mature_reached,
    rate_before,
    rate_before_low,
    rate_before_high,
    rate_before_is_reportable,
    rate_after,
    overall_before,
    overall_after,
    overall_after / nullif(overall_before, 0) - 1 as overall_gain,
    added,
    case when is_first_won_stage then added end as added_wins,
    case when is_first_won_stage then added * average_amount end as added_amount,
    wins_alone,
    wins_alone * average_amount as amount_alone,
    average_amount,
    amount_unknown,
from scenarios
