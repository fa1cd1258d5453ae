with

run as (
    select {{ reporting_date("as_of - interval 1 microsecond") }} as last_date
    from {{ ref('int_run') }}
),

calendar_dates as (
    select calendar_date
    from {{ ref('int_calendar_dates') }}
),

funnel_stages as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        win_probability,
    from {{ ref('dim_funnel_stages') }}
),

targets as (
    select
        stage_targets.funnel_id,
        stage_targets.period_grain,
        stage_targets.period_date,
        case
            when stage_targets.owner_id is not null then 'owner'
            when stage_targets.team is not null then 'team'
            else 'all'
        end as scope,
        coalesce(stage_targets.owner_id, stage_targets.team, 'all') as scope_value,
        sum(stage_targets.target_amount) as target_amount,
        {{ cohort_date_after('stage_targets.period_grain', 'stage_targets.period_date') }}
            as next_period_date,
        -- Whether there will be enough is asked in the period before.
        {{ cohort_date_before('stage_targets.period_grain', 'stage_targets.period_date') }}
            as first_date,
    from {{ ref('stage_targets') }} as stage_targets
    inner join funnel_stages
        on
            stage_targets.funnel_id = funnel_stages.funnel_id
            and stage_targets.stage_id = funnel_stages.stage_id
    where funnel_stages.stage_kind = 'won' and stage_targets.target_amount is not null
    group by all
),

days as (
    select
        targets.*,
        calendar_dates.calendar_date as snapshot_date,
    from targets
    cross join run
    inner join calendar_dates
        on
            targets.first_date <= calendar_dates.calendar_date
            and targets.next_period_date > calendar_dates.calendar_date
            and run.last_date >= calendar_dates.calendar_date
),

state_scopes as (
    select
        funnel_id,
        deal_id,
        state_number,
        segment_name as scope,
        segment_value as scope_value,
    from {{ ref('int_deal_state_segments') }}
    where segment_name in ('all', 'team', 'owner')
),

open_states as (
    select
        states.funnel_id,
        state_scopes.scope,
        state_scopes.scope_value,
        states.expected_close_date,
        states.amount,
        funnel_stages.win_probability is null as has_no_probability,
        {{ weighted_amount('states.amount', 'funnel_stages.win_probability') }}
            as weighted_amount,
        states.changed_date,
        coalesce(states.next_changed_date, date '9999-12-31') as next_changed_date,
    from {{ ref('int_deal_states') }} as states
    inner join state_scopes
        on
            states.funnel_id = state_scopes.funnel_id
            and states.deal_id = state_scopes.deal_id
            and states.state_number = state_scopes.state_number
    inner join funnel_stages
        on
            states.funnel_id = funnel_stages.funnel_id
            and states.stage_id = funnel_stages.stage_id
    where states.is_open
),

open_amounts as (
    select
        days.funnel_id,
        days.period_grain,
        days.period_date,
        days.scope,
        days.scope_value,
        days.snapshot_date,
        -- What should have closed already is still to come.
        count(*) filter (where open_states.expected_close_date is not null) as open_deals,
        count(*) filter (where open_states.expected_close_date is null)
            as open_deals_without_expected_close,
        count(*) filter (
            where open_states.expected_close_date is not null and open_states.amount is null
        ) as open_deals_without_amount,
        count(*) filter (
            where open_states.expected_close_date is not null and open_states.has_no_probability
        ) as open_deals_without_probability,
        sum(open_states.amount) filter (where open_states.expected_close_date is not null)
            as open_amount,
        sum(open_states.weighted_amount) filter (where open_states.expected_close_date is not null)
            as weighted_amount,
    from days
    inner join open_states
        on
            days.funnel_id = open_states.funnel_id
            and days.scope = open_states.scope
            and days.scope_value = open_states.scope_value
            and days.snapshot_date >= open_states.changed_date
            and days.snapshot_date < open_states.next_changed_date
            and days.next_period_date
            > coalesce(open_states.expected_close_date, days.period_date)
    group by all
),

won_deals as (
    {% for scope, column in [('all', "'all'"), ('team', 'team'), ('owner', 'owner_id')] %}
        {{ 'union all' if not loop.first }}
        select
            funnel_id,
            '{{ scope }}' as scope,
            {{ column }} as scope_value,
            ended_date,
            amount,
        from {{ ref('int_deals') }}
        where outcome = 'won' and ended_date is not null
    {% endfor %}
),

won_amounts as (
    select
        days.funnel_id,
        days.period_grain,
        days.period_date,
        days.scope,
        days.scope_value,
        days.snapshot_date,
        count(*) as won_deals,
        count(*) filter (where won_deals.amount is null) as won_deals_without_amount,
        sum(won_deals.amount) as won_amount,
    from days
    inner join won_deals
        on
            days.funnel_id = won_deals.funnel_id
            and days.scope = won_deals.scope
            and days.scope_value = won_deals.scope_value
            and days.period_date <= won_deals.ended_date
            and days.snapshot_date >= won_deals.ended_date
    group by all
),

amounts as (
    select
        days.*,
        coalesce(won_amounts.won_deals, 0) as won_deals,
        coalesce(won_amounts.won_deals_without_amount, 0) as won_deals_without_amount,
        coalesce(won_amounts.won_amount, 0) as won_amount,
        coalesce(open_amounts.open_deals, 0) as open_deals,
        coalesce(open_amounts.open_deals_without_amount, 0) as open_deals_without_amount,
        coalesce(open_amounts.open_deals_without_probability, 0)
            as open_deals_without_probability,
        coalesce(open_amounts.open_deals_without_expected_close, 0)
            as open_deals_without_expected_close,
        -- No deals are worth nothing; deals of which nothing is known are worth nobody knows what.
        case when coalesce(open_amounts.open_deals, 0) = 0 then 0 else open_amounts.open_amount end
            as open_amount,
        case
            when coalesce(open_amounts.open_deals, 0) = 0 then 0
            else open_amounts.weighted_amount
        end as weighted_amount,
        greatest(days.target_amount - coalesce(won_amounts.won_amount, 0), 0) as missing_amount,
    from days
    left join won_amounts
        on
            days.funnel_id = won_amounts.funnel_id
            and days.period_grain = won_amounts.period_grain
            and days.period_date = won_amounts.period_date
            and days.scope = won_amounts.scope
            and days.scope_value = won_amounts.scope_value
            and days.snapshot_date = won_amounts.snapshot_date
    left join open_amounts
        on
            days.funnel_id = open_amounts.funnel_id
            and days.period_grain = open_amounts.period_grain
            and days.period_date = open_amounts.period_date
            and days.scope = open_amounts.scope
            and days.scope_value = open_amounts.scope_value
            and days.snapshot_date = open_amounts.snapshot_date
)

select
    funnel_id,
    period_grain,
    period_date,
    scope,
    scope_value,
    snapshot_date,
    cast(target_amount as decimal(18, 4)) as target_amount,
    won_deals,
    won_deals_without_amount,
    cast(won_amount as decimal(18, 4)) as won_amount,
    cast(missing_amount as decimal(18, 4)) as missing_amount,
    open_deals,
    open_deals_without_amount,
    open_deals_without_probability,
    open_deals_without_expected_close,
    cast(open_amount as decimal(18, 4)) as open_amount,
    {{ rate('open_amount', 'missing_amount') }} as coverage,
    cast(weighted_amount as decimal(18, 4)) as weighted_amount,
    {{ rate('weighted_amount', 'missing_amount') }} as weighted_coverage,
from amounts
