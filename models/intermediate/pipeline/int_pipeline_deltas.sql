with

funnel_stages as (
    select
        funnel_id,
        stage_id,
        target_hours,
    from {{ ref('dim_funnel_stages') }}
),

state_segments as (
    select
        funnel_id,
        deal_id,
        state_number,
        segment_name,
        segment_value,
    from {{ ref('int_deal_state_segments') }}
),

states as (
    select
        states.funnel_id,
        states.deal_id,
        states.state_number,
        states.stage_id,
        states.amount,
        states.changed_date,
        states.next_changed_date,
        cast(
            {{ microseconds_between("timestamp '1970-01-01'", 'states.stage_entered_at') }}
            / 1000000 as bigint
        ) as entered_seconds,
        {{ hours_after('states.stage_entered_at', 'funnel_stages.target_hours') }} as target_at,
        coalesce(states.next_changed_at, run.as_of) as known_until,
    from {{ ref('int_deal_states') }} as states
    cross join {{ ref('int_run') }} as run
    inner join funnel_stages
        on
            states.funnel_id = funnel_stages.funnel_id
            and states.stage_id = funnel_stages.stage_id
    where states.is_open
),

segment_states as (
    select
        states.*,
        case
            when states.target_at < states.known_until
                then greatest(states.changed_date, {{ reporting_date('states.target_at') }})
        end as overdue_date,
        state_segments.segment_name,
        state_segments.segment_value,
    from states
    inner join state_segments
        on
            states.funnel_id = state_segments.funnel_id
            and states.deal_id = state_segments.deal_id
            and states.state_number = state_segments.state_number
),

-- A state is an arrival where the one before it was in another stage or segment value, or not open.
neighbouring_states as (
    select
        *,
        coalesce(
            lag(state_number) over by_deal = state_number - 1
            and lag(stage_id) over by_deal = stage_id
            and lag(segment_value) over by_deal = segment_value,
            false
        ) as was_here,
        coalesce(
            lead(state_number) over by_deal = state_number + 1
            and lead(stage_id) over by_deal = stage_id
            and lead(segment_value) over by_deal = segment_value,
            false
        ) as stays_here,
    from segment_states
    window by_deal as (
        partition by funnel_id, deal_id, segment_name
        order by state_number
    )
),

deltas as (
    select
        funnel_id,
        segment_name,
        segment_value,
        stage_id,
        changed_date as delta_date,
        1 as open_deals,
        coalesce(amount, 0) as open_amount,
        case when amount is null then 1 else 0 end as deals_without_amount,
        entered_seconds,
        0 as overdue_deals,
        case when was_here then 0 else 1 end as deals_in,
        0 as deals_out,
        case when was_here then 0 else coalesce(amount, 0) end as amount_in,
        0 as amount_out,
    from neighbouring_states

    union all

    select
        funnel_id,
        segment_name,
        segment_value,
        stage_id,
        next_changed_date as delta_date,
        -1 as open_deals,
        -coalesce(amount, 0) as open_amount,
        case when amount is null then -1 else 0 end as deals_without_amount,
        -entered_seconds as entered_seconds,
        case when overdue_date is null then 0 else -1 end as overdue_deals,
        0 as deals_in,
        case when stays_here then 0 else 1 end as deals_out,
        0 as amount_in,
        case when stays_here then 0 else coalesce(amount, 0) end as amount_out,
    from neighbouring_states
    where next_changed_date is not null

    union all

    select
        funnel_id,
        segment_name,
        segment_value,
        stage_id,
        overdue_date as delta_date,
        0 as open_deals,
        0 as open_amount,
        0 as deals_without_amount,
        0 as entered_seconds,
        1 as overdue_deals,
        0 as deals_in,
        0 as deals_out,
        0 as amount_in,
        0 as amount_out,
    from neighbouring_states
    where overdue_date is not null
)

select
    funnel_id,
    segment_name,
    segment_value,
    stage_id,
    delta_date,
    cast(sum(open_deals) as bigint) as open_deals,
    cast(sum(open_amount) as decimal(18, 4)) as open_amount,
    cast(sum(deals_without_amount) as bigint) as deals_without_amount,
    cast(sum(entered_seconds) as bigint) as entered_seconds,
    cast(sum(overdue_deals) as bigint) as overdue_deals,
    cast(sum(deals_in) as bigint) as deals_in,
    cast(sum(deals_out) as bigint) as deals_out,
    cast(sum(amount_in) as decimal(18, 4)) as amount_in,
    cast(sum(amount_out) as decimal(18, 4)) as amount_out,
from deltas
group by funnel_id, segment_name, segment_value, stage_id, delta_date
