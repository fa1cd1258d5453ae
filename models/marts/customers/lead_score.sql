with

scores as (
    select
        funnel_id,
        subject_id,
        journey_number,
        score,
        score_tenth,
        sample,
        outcome,
        was_won,
        entered_date,
        values_not_seen,
    from {{ ref('int_lead_scores') }}
),

calibration as (
    select
        funnel_id,
        score_tenth,
        count(*) as training_journeys,
        count(case when outcome = 'won' then 1 end) as training_won,
    from scores
    where sample = 'training'
    group by all
)

select
    scores.funnel_id,
    scores.subject_id,
    scores.journey_number,
    scores.score,
    scores.score_tenth,
    scores.sample,
    scores.outcome,
    scores.was_won,
    scores.entered_date,
    scores.values_not_seen,
    calibration.training_won,
    calibration.training_journeys,
    {{ rate('calibration.training_won', 'calibration.training_journeys') }} as expected_rate,
    {{ wilson_low('calibration.training_won', 'calibration.training_journeys') }}
        as expected_rate_low,
    {{ wilson_high('calibration.training_won', 'calibration.training_journeys') }}
        as expected_rate_high,
from scores
left join calibration
    on
        scores.funnel_id = calibration.funnel_id
        and scores.score_tenth = calibration.score_tenth
