with

training as (
    select
        funnel_id,
        subject_id,
        journey_number,
        outcome,
    from {{ ref('int_lead_score_journeys') }}
    where sample = 'training'
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

totals as (
    select
        funnel_id,
        count(*) as training_journeys,
        count(case when outcome = 'won' then 1 end) as training_won,
    from training
    group by all
),

counted as (
    select
        feature_values.funnel_id,
        feature_values.feature_name,
        feature_values.feature_value,
        count(*) as journeys,
        count(case when training.outcome = 'won' then 1 end) as won,
    from feature_values
    inner join training
        on
            feature_values.funnel_id = training.funnel_id
            and feature_values.subject_id = training.subject_id
            and feature_values.journey_number = training.journey_number
    group by all
),

-- Ten average journeys are added, so that a value which few have says little.
shrunk as (
    select
        counted.*,
        totals.training_journeys,
        totals.training_won,
        {{ rate('counted.won * totals.training_journeys + 10 * totals.training_won',
                '(counted.journeys + 10) * totals.training_journeys') }} as shrunk_rate,
    from counted
    inner join totals
        on counted.funnel_id = totals.funnel_id
)

select
    funnel_id,
    feature_name,
    feature_value,
    journeys,
    won,
    {{ rate('won', 'journeys') }} as conversion_rate,
    {{ wilson_low('won', 'journeys') }} as conversion_rate_low,
    {{ wilson_high('won', 'journeys') }} as conversion_rate_high,
    training_journeys,
    training_won,
    shrunk_rate,
    case
        when training_won = 0 or training_won = training_journeys then 0
        else cast(round(
            10 * (
                ln(shrunk_rate / (1 - shrunk_rate))
                - ln(cast(training_won as double) / (training_journeys - training_won))
            ) / ln(2e0)
        ) as integer)
    end as points,
from shrunk
