with

scores as (
    select
        funnel_id,
        sample,
        score,
        score_tenth,
        outcome,
        entered_date,
        training_won,
        training_journeys,
    from {{ ref('lead_score') }}
    where sample != 'immature'
),

by_score as (
    select
        funnel_id,
        sample,
        score,
        count(case when outcome = 'won' then 1 end) as won,
        count(case when outcome != 'won' then 1 end) as not_won,
    from scores
    group by all
),

below_scores as (
    select
        *,
        sum(not_won) over (partition by funnel_id, sample order by score) - not_won
            as not_won_below,
    from by_score
),

-- Of all pairs of one who is won and one who is not: how often has the first one the higher score?
-- Twice that, as equal scores are half a yes.
pairs as (
    select
        funnel_id,
        sample,
        sum(won * (2 * not_won_below + not_won)) as higher_twice,
        sum(won) * sum(not_won) as pairs,
    from below_scores
    group by all
),

scopes as (
    select false as by_tenth
    union all
    select true as by_tenth
),

tenths as (
    select
        scores.funnel_id,
        scores.sample,
        case when scopes.by_tenth then scores.score_tenth else 0 end as score_tenth,
        min(scores.score) as score_from,
        max(scores.score) as score_to,
        min(scores.entered_date) as entered_from,
        max(scores.entered_date) as entered_to,
        count(*) as journeys,
        count(case when scores.outcome = 'won' then 1 end) as won,
        sum(cast(
            {{ rate('scores.training_won', 'scores.training_journeys') }} as decimal(18, 9)
        )) as expected_won,
    from scores
    cross join scopes
    group by all
),

with_totals as (
    select
        tenths.*,
        all_tenths.journeys as all_journeys,
        all_tenths.won as all_won,
    from tenths
    inner join tenths as all_tenths
        on
            tenths.funnel_id = all_tenths.funnel_id
            and tenths.sample = all_tenths.sample
            and all_tenths.score_tenth = 0
)

select
    with_totals.funnel_id,
    with_totals.sample,
    with_totals.score_tenth,
    with_totals.score_from,
    with_totals.score_to,
    with_totals.entered_from,
    with_totals.entered_to,
    with_totals.journeys,
    with_totals.won,
    {{ rate('with_totals.won', 'with_totals.journeys') }} as conversion_rate,
    {{ wilson_low('with_totals.won', 'with_totals.journeys') }} as conversion_rate_low,
    {{ wilson_high('with_totals.won', 'with_totals.journeys') }} as conversion_rate_high,
    {{ is_reportable('with_totals.journeys') }} as conversion_rate_is_reportable,
    cast(with_totals.expected_won as double) as expected_won,
    {{ rate('with_totals.expected_won', 'with_totals.journeys') }} as expected_rate,
    {{ rate('with_totals.won * with_totals.all_journeys',
            'with_totals.journeys * with_totals.all_won') }} as lift,
    case
        when with_totals.score_tenth = 0
            then {{ rate('pairs.higher_twice', '2 * pairs.pairs') }}
    end as auc,
from with_totals
inner join pairs
    on
        with_totals.funnel_id = pairs.funnel_id
        and with_totals.sample = pairs.sample
