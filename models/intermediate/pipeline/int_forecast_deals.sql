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

deals as (
    select
        funnel_id,
        deal_id,
        outcome,
        ended_at,
        ended_date,
        amount,
    from {{ ref('int_deals') }}
    qualify row_number() over (
        partition by funnel_id, deal_id
        order by journey_number desc
    ) = 1
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
    deals.outcome = 'won'
    and deals.ended_at >= periods.made_at
    and deals.ended_date >= periods.period_date
    and deals.ended_date < periods.next_period_date as is_won_in_period,
    deals.amount as amount_now,
    case when deals.outcome in ('won', 'lost') then deals.outcome end as later_outcome,
from periods
inner join open_states
    on
        periods.funnel_id = open_states.funnel_id
        and periods.made_at > open_states.changed_at
        and periods.made_at <= coalesce(open_states.next_changed_at, timestamp '9999-12-31')
-- A deal that was deleted since then has no outcome that could be waited for.
inner join deals
    on
        open_states.funnel_id = deals.funnel_id
        and open_states.deal_id = deals.deal_id
