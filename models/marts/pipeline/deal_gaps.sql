with

run as (
    select reporting_currency from {{ ref('int_run') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        owner_id,
        stage_id,
        outcome,
        expected_close_date,
        entered_at,
        stage_entered_at,
        ended_at,
        source_amount,
        source_currency,
        amount_unknown_for,
    from {{ ref('int_deals') }}
),

owners as (
    select owner_id from {{ ref('stg_owners') }}
),

owner_counts as (
    select count(*) as owners from owners
),

gaps as (
    select
        deals.*,
        'no_amount' as gap,
        cast(null as varchar) as found,
        'left out of every sum of amounts' as consequence,
    from deals
    where deals.amount_unknown_for = 'no amount'

    union all

    select
        deals.*,
        'unknown_currency' as gap,
        source_currency as found,
        'left out of every sum of amounts, as no exchange rate is declared for its day'
            as consequence,
    from deals
    where deals.amount_unknown_for = 'unknown currency'

    union all

    select
        deals.*,
        'no_currency' as gap,
        cast(null as varchar) as found,
        'taken to be in ' || run.reporting_currency as consequence,
    from deals
    cross join run
    where deals.source_amount is not null and deals.source_currency is null

    union all

    select
        deals.*,
        'no_owner' as gap,
        cast(null as varchar) as found,
        'under the owner (missing)' as consequence,
    from deals
    where deals.owner_id is null

    union all

    select
        deals.*,
        'unknown_owner' as gap,
        deals.owner_id as found,
        'under its owner, but in no team or branch' as consequence,
    from deals
    cross join owner_counts
    left join owners
        on deals.owner_id = owners.owner_id
    -- Where nobody delivers owners, none is unknown.
    where owner_counts.owners > 0 and deals.owner_id is not null and owners.owner_id is null

    union all

    select
        deals.*,
        'no_expected_close' as gap,
        cast(null as varchar) as found,
        'in no month, quarter or year of expected closes' as consequence,
    from deals
    where deals.outcome = 'open' and deals.expected_close_date is null

    union all

    select
        deals.*,
        'undated' as gap,
        cast(null as varchar) as found,
        'on no day of the pipeline' as consequence,
    from deals
    where deals.entered_at is null or (deals.outcome != 'open' and deals.ended_at is null)

    union all

    select
        deals.*,
        'undated_stage' as gap,
        cast(null as varchar) as found,
        'in its present stage from its last dated entry of a stage on' as consequence,
    from deals
    where
        deals.outcome = 'open'
        and deals.entered_at is not null
        and deals.stage_entered_at is null
)

select
    funnel_id,
    deal_id,
    journey_number,
    gap,
    found,
    consequence,
    outcome,
    stage_id,
from gaps
