with

lead_score_features as (
    select funnel_id,
    from {{ ref('lead_score_features') }}
),

funnels as (
    select distinct funnel_id,
    from lead_score_features
),

journeys as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        journeys.outcome,
        journeys.was_won,
        journeys.is_mature,
        journeys.entered_date,
        journeys.entered_at,
    from {{ ref('fct_journeys') }} as journeys
    inner join funnels
        on journeys.funnel_id = funnels.funnel_id
),

mature_days as (
    select
        funnel_id,
        entered_date,
        count(*) as journeys,
    from journeys
    where is_mature and entered_date is not null
    group by all
),

counted_days as (
    select
        funnel_id,
        entered_date,
        sum(journeys) over (partition by funnel_id order by entered_date) as journeys_so_far,
        sum(journeys) over (partition by funnel_id) as journeys,
    from mature_days
),

-- Whole days, so that nobody is judged by who came in the same hour.
splits as (
    select
        funnel_id,
        max(entered_date) as last_training_date,
    from counted_days
    where journeys_so_far * 3 <= journeys * 2
    group by all
)

select
    journeys.funnel_id,
    journeys.subject_id,
    journeys.journey_number,
    case
        when not journeys.is_mature or journeys.entered_date is null then 'immature'
        when journeys.entered_date <= splits.last_training_date then 'training'
        else 'evaluation'
    end as sample,
    journeys.outcome,
    journeys.was_won,
    journeys.entered_date,
    journeys.entered_at,
from journeys
left join splits
    on journeys.funnel_id = splits.funnel_id
