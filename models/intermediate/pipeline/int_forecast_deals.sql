with

periods as (
    select
        funnel_id,
        period_grain,
        periods_ahead,
        made_on,
        made_at,
        period_date,
        next_period_date,
    from {{ ref('int_forecast_periods') }}
),

open_states as (
    select
        funnel_id,
        deal_id,
        stage_id,
        stage_entered_at,
        expected_close_date,
        amount,
        changed_at,
        next_changed_at,
    from {{ ref('int_deal_states') }}
    where is_open
),

journeys as (
    select
        funnel_id,
        deal_id,
        outcome,
        entered_at,
        ended_at,
        ended_date,
        amount,
    from {{ ref('int_deals') }}
    where entered_at is not null
)

select
    periods.funnel_id,
    periods.period_grain,
    periods.periods_ahead,
    periods.made_on,
    open_states.deal_id,
    open_states.stage_id,
    case
        when {{ hours_after('open_states.stage_entered_at', '168') }} > periods.made_at
            then 'first week'
        when {{ hours_after('open_states.stage_entered_at', '720') }} > periods.made_at
            then 'first month'
        when {{ hours_after('open_states.stage_entered_at', '2160') }} > periods.made_at
            then 'first quarter'
        else 'longer'
    end as age_band,
    open_states.amount,
    -- What should have closed already is still to come, as far as anybody can say.
    coalesce(
        open_states.expected_close_date < periods.next_period_date
        and (
            open_states.expected_close_date >= periods.period_date
            or periods.periods_ahead = 0
        ),
        false
    ) as is_expected,
    coalesce(
        journeys.outcome = 'won'
        and journeys.ended_at >= periods.made_at
        and journeys.ended_date >= periods.period_date
        and journeys.ended_date < periods.next_period_date,
        false
    ) as is_won_in_period,
    journeys.amount as amount_now,
    case when journeys.outcome in ('won', 'lost') then journeys.outcome end as later_outcome,
from periods
inner join open_states
    on
        periods.funnel_id = open_states.funnel_id
        and periods.made_at > open_states.changed_at
        and periods.made_at <= coalesce(open_states.next_changed_at, timestamp '9999-12-31')
-- The journey that the deal was in. A deal that was deleted since then is in none any more; it was
-- there all the same, and was not won.
asof left join journeys
    on
        open_states.funnel_id = journeys.funnel_id
        and open_states.deal_id = journeys.deal_id
        and periods.made_at > journeys.entered_at
