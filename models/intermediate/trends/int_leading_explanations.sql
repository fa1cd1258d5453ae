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
        -- A reversal is told first: without it, whatever else is told misleads.
        row_number() over (
            partition by funnel_id, cohort_grain, cohort_date, stage_id, rate_name
            order by is_reversal desc, abs(effect) desc, segment_name
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
