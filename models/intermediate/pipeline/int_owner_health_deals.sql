with

rules as (
    select
        funnel_id,
        rule_name,
        within_hours,
        period_grain,
    from {{ ref('int_owner_health_rules') }}
),

deals as (
    select
        funnel_id,
        owner_id,
        deal_id,
        journey_number,
        outcome,
        deal_size_band,
        created_at,
        ended_at,
        {{ cohort_date('month', 'ended_date') }} as ended_month,
    from {{ ref('int_deals') }}
    where owner_id is not null
),

deal_size_bands as (
    select
        funnel_id,
        band_name,
        amount_from,
    from {{ ref('deal_size_bands') }}
),

next_steps as (
    select
        funnel_id,
        deal_id,
        next_step_is_missing,
    from {{ ref('int_deal_next_steps') }}
),

worked_journeys as (
    select distinct
        funnel_id,
        subject_id,
        journey_number,
    from {{ ref('fct_stage_visits') }}
    where stage_kind = 'open'
),

moves_back as (
    select
        funnel_id,
        subject_id,
        journey_number,
        transitioned_at,
        {{ reporting_date('transitioned_at') }} as moved_date,
    from {{ ref('fct_stage_transitions') }}
    where movement = 'regress'
),

-- The month, quarter or year in which a deal was moved back.
moves_by_period as (
    select
        funnel_id,
        subject_id,
        journey_number,
        transitioned_at,
        'month' as period_grain,
        {{ cohort_date('month', 'moved_date') }} as period_date,
    from moves_back

    union all

    select
        funnel_id,
        subject_id,
        journey_number,
        transitioned_at,
        'quarter' as period_grain,
        {{ cohort_date('quarter', 'moved_date') }} as period_date,
    from moves_back

    union all

    select
        funnel_id,
        subject_id,
        journey_number,
        transitioned_at,
        'year' as period_grain,
        {{ cohort_date('year', 'moved_date') }} as period_date,
    from moves_back
),

-- One band alone is neither small nor large.
outer_bands as (
    select
        funnel_id,
        min_by(band_name, amount_from) as lowest_band,
        max_by(band_name, amount_from) as highest_band,
    from deal_size_bands
    group by funnel_id
    having count(*) > 1
)

select
    deals.funnel_id,
    deals.owner_id,
    rules.rule_name,
    cast(null as date) as period_date,
    deals.deal_id,
    deals.journey_number,
from deals
inner join rules
    on deals.funnel_id = rules.funnel_id
where
    deals.outcome = 'open'
    and rules.rule_name in ('fewer_active_deals', 'too_many_active', 'meetings_without_pipeline')

union all

select
    deals.funnel_id,
    deals.owner_id,
    rules.rule_name,
    cast(null as date) as period_date,
    deals.deal_id,
    deals.journey_number,
from deals
inner join outer_bands
    on deals.funnel_id = outer_bands.funnel_id
inner join rules
    on
        deals.funnel_id = rules.funnel_id
        and rules.rule_name = case deals.deal_size_band
            when outer_bands.highest_band then 'only_large'
            when outer_bands.lowest_band then 'only_small'
        end
where deals.outcome = 'open'

union all

select
    deals.funnel_id,
    deals.owner_id,
    rules.rule_name,
    cast(null as date) as period_date,
    deals.deal_id,
    deals.journey_number,
from deals
inner join next_steps
    on
        deals.funnel_id = next_steps.funnel_id
        and deals.deal_id = next_steps.deal_id
inner join rules
    on deals.funnel_id = rules.funnel_id
where
    deals.outcome = 'open'
    and next_steps.next_step_is_missing
    and rules.rule_name = 'no_next_step'

union all

-- Behind a month without a win stand those of the month before.
select
    deals.funnel_id,
    deals.owner_id,
    rules.rule_name,
    case
        when rules.rule_name = 'signings_outside' then deals.ended_month
        else {{ cohort_date_after("'month'", 'deals.ended_month') }}
    end as period_date,
    deals.deal_id,
    deals.journey_number,
from deals
inner join rules
    on deals.funnel_id = rules.funnel_id
where
    deals.outcome = 'won'
    and deals.ended_month is not null
    and rules.rule_name in ('signings_outside', 'bumper_then_none')

union all

select
    deals.funnel_id,
    deals.owner_id,
    rules.rule_name,
    deals.ended_month as period_date,
    deals.deal_id,
    deals.journey_number,
from deals
inner join rules
    on deals.funnel_id = rules.funnel_id
left join worked_journeys
    on
        deals.funnel_id = worked_journeys.funnel_id
        and deals.deal_id = worked_journeys.subject_id
        and deals.journey_number = worked_journeys.journey_number
where
    deals.outcome = 'won'
    and rules.rule_name = 'won_never_in_funnel'
    and (
        worked_journeys.subject_id is null
        or deals.ended_at <= {{ hours_after('deals.created_at', 'rules.within_hours') }}
    )

union all

select distinct
    deals.funnel_id,
    deals.owner_id,
    rules.rule_name,
    moves_by_period.period_date,
    deals.deal_id,
    deals.journey_number,
from deals
inner join moves_by_period
    on
        deals.funnel_id = moves_by_period.funnel_id
        and deals.deal_id = moves_by_period.subject_id
        and deals.journey_number = moves_by_period.journey_number
inner join rules
    on
        deals.funnel_id = rules.funnel_id
        and moves_by_period.period_grain = rules.period_grain
where
    rules.rule_name = 'moved_back_before_quota'
    -- That long after it, the period is over.
    and {{ reporting_date(hours_after('moves_by_period.transitioned_at', 'rules.within_hours')) }}
    >= {{ cohort_date_after('rules.period_grain', 'moves_by_period.period_date') }}
