with

deals as (
    select distinct
        funnel_id,
        deal_id,
    from {{ ref('int_deals') }}
),

records as (
    select
        record_id,
        coalesce(
            {{ clean_text(json_text('attributes', 'next_step')) }},
            {{ clean_text(json_text('attributes', 'hs_next_step')) }}
        ) as next_step,
    from {{ ref('int_surviving_records') }}
)

select
    deals.funnel_id,
    deals.deal_id,
    -- Where nobody ever writes one, none is missing.
    case
        when count(records.next_step) over (partition by deals.funnel_id) > 0
            then records.next_step is null
    end as next_step_is_missing,
from deals
inner join records
    on deals.deal_id = records.record_id
