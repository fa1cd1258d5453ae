with

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        sample,
        outcome,
        was_won,
        entered_date,
    from {{ ref('int_lead_score_journeys') }}
),

feature_values as (
    select
        funnel_id,
        subject_id,
        journey_number,
        feature_name,
        feature_value,
    from {{ ref('int_lead_score_values') }}
),

points as (
    select
        funnel_id,
        feature_name,
        feature_value,
        points,
    from {{ ref('lead_score_points') }}
),

journey_scores as (
    select
        feature_values.funnel_id,
        feature_values.subject_id,
        feature_values.journey_number,
        sum(points.points) as score,
        count(*) - count(points.points) as values_not_seen,
    from feature_values
    left join points
        on
            feature_values.funnel_id = points.funnel_id
            and feature_values.feature_name = points.feature_name
            and feature_values.feature_value = points.feature_value
    group by all
),

scored as (
    select
        journeys.*,
        cast(coalesce(journey_scores.score, 0) as integer) as score,
        coalesce(journey_scores.values_not_seen, 0) as values_not_seen,
    from journeys
    left join journey_scores
        on
            journeys.funnel_id = journey_scores.funnel_id
            and journeys.subject_id = journey_scores.subject_id
            and journeys.journey_number = journey_scores.journey_number
),

training_scores as (
    select
        funnel_id,
        score,
        count(*) as journeys,
    from scored
    where sample = 'training'
    group by all
),

-- The tenth of a score is that of the middle one of the training journeys that have it.
tenths as (
    select
        funnel_id,
        score as training_score,
        cast(least(10, 1 + floor(
            5e0 * (
                2 * sum(journeys) over (partition by funnel_id order by score) - journeys
            ) / sum(journeys) over (partition by funnel_id)
        )) as integer) as score_tenth,
    from training_scores
),

lowest_tenths as (
    select
        funnel_id,
        min(score_tenth) as score_tenth,
    from tenths
    group by all
)

select
    scored.funnel_id,
    scored.subject_id,
    scored.journey_number,
    scored.score,
    -- A score that no training journey has stands with the next lower one.
    coalesce(tenths.score_tenth, lowest_tenths.score_tenth) as score_tenth,
    scored.sample,
    scored.outcome,
    scored.was_won,
    scored.entered_date,
    scored.values_not_seen,
from scored
asof left join tenths
    on
        scored.funnel_id = tenths.funnel_id
        and scored.score >= tenths.training_score
left join lowest_tenths
    on scored.funnel_id = lowest_tenths.funnel_id
