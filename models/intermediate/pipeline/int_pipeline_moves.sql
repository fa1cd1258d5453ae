with

states as (
    select
        funnel_id,
        deal_id,
        state_number,
        stage_id,
        stage_position,
        stage_kind,
        is_deleted,
        is_open,
        expected_close_date,
        source_amount,
        source_currency,
        amount,
        changed_at,
        changed_date,
        lag(stage_id) over by_deal as stage_id_before,
        lag(stage_position) over by_deal as stage_position_before,
        coalesce(lag(is_open) over by_deal, false) as was_open,
        lag(is_open) over by_deal is null as is_first,
        lag(expected_close_date) over by_deal as expected_close_date_before,
        lag(source_amount) over by_deal as source_amount_before,
        lag(source_currency) over by_deal as source_currency_before,
        lag(amount) over by_deal as amount_before,
    from {{ ref('int_deal_states') }}
    window by_deal as (
        partition by funnel_id, deal_id
        order by state_number
    )
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

segment_names as (
    select distinct
        funnel_id,
        segment_name,
    from state_segments
),

-- What never was in the pipeline moves nothing in it: a deal that is entered as won, say.
changes as (
    select
        states.*,
        segment_names.segment_name,
        values_before.segment_value as value_before,
        values_after.segment_value as value_after,
        coalesce(values_before.segment_value = values_after.segment_value, false)
            as has_same_value,
        coalesce(
            states.source_amount = states.source_amount_before,
            states.source_amount is null and states.source_amount_before is null
        )
        and coalesce(states.source_currency, '') = coalesce(states.source_currency_before, '')
            as is_priced_as_before,
        coalesce(
            states.amount = states.amount_before,
            states.amount is null and states.amount_before is null
        ) as has_same_amount,
    from states
    inner join segment_names
        on states.funnel_id = segment_names.funnel_id
    left join state_segments as values_before
        on
            states.funnel_id = values_before.funnel_id
            and states.deal_id = values_before.deal_id
            and states.state_number = values_before.state_number + 1
            and segment_names.segment_name = values_before.segment_name
    left join state_segments as values_after
        on
            states.funnel_id = values_after.funnel_id
            and states.deal_id = values_after.deal_id
            and states.state_number = values_after.state_number
            and segment_names.segment_name = values_after.segment_name
    where states.is_open or states.was_open
),

moves as (
    select
        *,
        value_after as segment_value,
        case
            when value_before is null and is_first then 'created'
            when value_before is null then 'reopened'
            when not has_same_value
                then case
                    when left(segment_name, 6) = 'close_' then 'pulled_in'
                    else 'moved_in'
                end
            when has_same_amount then 'stayed'
            when is_priced_as_before then 'revalued'
            when coalesce(amount, 0) < coalesce(amount_before, 0) then 'amount_cut'
            else 'amount_raised'
        end as movement,
        case when has_same_value then 0 else 1 end as deals_change,
        case
            when has_same_value then coalesce(amount, 0) - coalesce(amount_before, 0)
            else coalesce(amount, 0)
        end as amount_change,
    from changes
    where value_after is not null

    union all

    select
        *,
        value_before as segment_value,
        case
            when value_after is not null and left(segment_name, 6) = 'close_'
                then 'pushed_out'
            when value_after is not null then 'moved_out'
            when is_deleted then 'deleted'
            else stage_kind
        end as movement,
        -1 as deals_change,
        -coalesce(amount_before, 0) as amount_change,
    from changes
    where value_before is not null and not has_same_value
)

select
    funnel_id,
    segment_name,
    segment_value,
    deal_id,
    state_number,
    movement,
    changed_at,
    changed_date,
    stage_id_before,
    stage_position_before,
    stage_id,
    stage_position,
    expected_close_date_before,
    expected_close_date,
    case when was_open then amount_before end as amount_before,
    amount as amount_after,
    deals_change,
    cast(amount_change as decimal(18, 4)) as amount_change,
    -- Of a deal whose amount is not known, what leaves or comes is not known either.
    case
        when deals_change = 1 then amount is null
        when deals_change = -1 then amount_before is null
        else amount is null and amount_before is null
    end as is_amount_unknown,
from moves
