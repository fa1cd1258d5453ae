with

run as (
    select
        as_of,
        reporting_currency,
    from {{ ref('int_run') }}
),

visits as (
    select
        funnel_id,
        deal_id,
        stage_id,
        stage_position,
        stage_kind,
        entered_at,
        deleted_at,
    from {{ ref('int_deal_visits') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        min(entered_at) as first_entered_at,
        max(deleted_at) as deleted_at,
    from visits
    group by funnel_id, deal_id
),

records as (
    select
        record_id,
        amount,
        currency,
        owner_id,
        expected_close_date,
    from {{ ref('int_surviving_records') }}
),

histories as (
    select
        record_id,
        attribute,
        attribute_value,
        known_from,
    from {{ ref('int_deal_attributes') }}
),

owners as (
    select * from histories
    where attribute = 'owner_id'
),

closes as (
    select * from histories
    where attribute = 'expected_close_date'
),

amounts as (
    select * from histories
    where attribute = 'amount'
),

currencies as (
    select * from histories
    where attribute = 'currency'
),

-- Those that a deal ever had.
record_currencies as (
    select
        record_id,
        currency,
    from records

    union

    select
        record_id,
        attribute_value as currency,
    from currencies
),

exchange_rates as (
    select
        currency,
        valid_from,
        rate,
    from {{ ref('exchange_rates') }}
),

-- Those that a deal can come into by a change of its record alone.
later_segments as (
    select
        funnel_id,
        attribute,
    from {{ ref('dim_segments') }}
    where taken_at in ('first', 'last')
),

segment_histories as (
    select
        record_id,
        attribute,
        known_from,
    from {{ ref('int_attribute_history') }}
),

changes as (
    select
        funnel_id,
        deal_id,
        entered_at as changed_at,
    from visits

    union

    select
        deals.funnel_id,
        deals.deal_id,
        histories.known_from as changed_at,
    from deals
    inner join histories
        on
            deals.deal_id = histories.record_id
            and deals.first_entered_at < histories.known_from

    union

    select
        deals.funnel_id,
        deals.deal_id,
        segment_histories.known_from as changed_at,
    from deals
    inner join later_segments
        on deals.funnel_id = later_segments.funnel_id
    inner join segment_histories
        on
            deals.deal_id = segment_histories.record_id
            and later_segments.attribute = segment_histories.attribute
            and deals.first_entered_at < segment_histories.known_from

    union

    select
        funnel_id,
        deal_id,
        deleted_at as changed_at,
    from deals
    where deleted_at is not null

    union

    -- From the midnight on from which another rate holds, the amount is another one.
    select
        deals.funnel_id,
        deals.deal_id,
        {{ reporting_midnight('exchange_rates.valid_from') }} as changed_at,
    from deals
    cross join run
    inner join record_currencies
        on deals.deal_id = record_currencies.record_id
    inner join exchange_rates
        on
            record_currencies.currency = exchange_rates.currency
            and deals.first_entered_at < {{ reporting_midnight('exchange_rates.valid_from') }}
            and run.as_of > {{ reporting_midnight('exchange_rates.valid_from') }}
),

known_changes as (
    select
        changes.funnel_id,
        changes.deal_id,
        changes.changed_at,
        deals.deleted_at,
    from changes
    inner join deals
        on
            changes.funnel_id = deals.funnel_id
            and changes.deal_id = deals.deal_id
    where deals.deleted_at is null or changes.changed_at <= deals.deleted_at
),

told_states as (
    select
        known_changes.funnel_id,
        known_changes.deal_id,
        known_changes.changed_at,
        coalesce(known_changes.changed_at = known_changes.deleted_at, false) as is_deleted,
        visits.stage_id,
        visits.stage_position,
        visits.stage_kind,
        visits.entered_at as stage_entered_at,
        case
            when owners.record_id is null then records.owner_id
            else owners.attribute_value
        end as owner_id,
        case
            when closes.record_id is null then records.expected_close_date
            else try_cast(closes.attribute_value as date)
        end as expected_close_date,
        case
            when amounts.record_id is null then records.amount
            else try_cast(amounts.attribute_value as decimal(18, 4))
        end as source_amount,
        case
            when currencies.record_id is null then records.currency
            else currencies.attribute_value
        end as source_currency,
    from known_changes
    asof inner join visits
        on
            known_changes.funnel_id = visits.funnel_id
            and known_changes.deal_id = visits.deal_id
            and known_changes.changed_at >= visits.entered_at
    inner join records
        on known_changes.deal_id = records.record_id
    asof left join owners
        on
            known_changes.deal_id = owners.record_id
            and known_changes.changed_at >= owners.known_from
    asof left join closes
        on
            known_changes.deal_id = closes.record_id
            and known_changes.changed_at >= closes.known_from
    asof left join amounts
        on
            known_changes.deal_id = amounts.record_id
            and known_changes.changed_at >= amounts.known_from
    asof left join currencies
        on
            known_changes.deal_id = currencies.record_id
            and known_changes.changed_at >= currencies.known_from
),

dated_states as (
    select
        told_states.*,
        {{ reporting_date('told_states.changed_at') }} as changed_date,
        run.reporting_currency,
    from told_states
    cross join run
),

rated_states as (
    select
        dated_states.*,
        case
            when
                coalesce(dated_states.source_currency, dated_states.reporting_currency)
                = dated_states.reporting_currency
                then 1
            else exchange_rates.rate
        end as rate,
    from dated_states
    asof left join exchange_rates
        on
            dated_states.source_currency = exchange_rates.currency
            and dated_states.changed_date >= exchange_rates.valid_from
)

select
    funnel_id,
    deal_id,
    row_number() over by_deal as state_number,
    stage_id,
    stage_position,
    stage_kind,
    is_deleted,
    stage_kind = 'open' and not is_deleted as is_open,
    stage_entered_at,
    owner_id,
    expected_close_date,
    source_amount,
    source_currency,
    {{ in_reporting_currency('source_amount', 'rate') }} as amount,
    changed_at,
    changed_date,
    lead(changed_at) over by_deal as next_changed_at,
    lead(changed_date) over by_deal as next_changed_date,
from rated_states
window by_deal as (
    partition by funnel_id, deal_id
    order by changed_at
)
