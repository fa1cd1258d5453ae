with

explanations as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        stage_id,
        rate_name,
        is_reversal,
        effect,
        total_change,
        explanation,
        -- A reversal is told first: without it, whatever else is told misleads. Else the value that
        -- did more than its share of all would have done: the larger one of two always does much.
        row_number() over (
            partition by funnel_id, cohort_grain, cohort_date, stage_id, rate_name
            order by
                case when is_reversal then 0 else 1 end,
                -abs(effect - total_change * (share_of_trials + previous_share_of_trials) / 2),
                segment_name
        ) as explanation_rank,
    from {{ ref('rate_change_explained') }}
    where effect_rank = 1
)

select
    funnel_id,
    cohort_grain,
    cohort_date,
    stage_id,
    rate_name,
    segment_name,
    segment_value,
    is_reversal,
    effect,
    total_change,
    explanation,
from explanations
where explanation_rank = 1
