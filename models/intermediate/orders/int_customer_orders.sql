with

run as (
    select reporting_currency
    from {{ ref('int_run') }}
),

order_statuses as (
    select order_status
    from {{ ref('customer_order_statuses') }}
),

exchange_rates as (
    select
        currency,
        valid_from,
        rate,
    from {{ ref('exchange_rates') }}
),

-- Where no status is declared, it is the one that orders without a status have.
counted_statuses as (
    select order_status
    from order_statuses
    union all
    select 'completed' as order_status
    where not exists (select 1 from order_statuses)
),

purchases as (
    select
        purchases.purchase_id,
        case when purchases.person_id is null then 'account' else 'person' end as customer_type,
        coalesce(purchases.person_id, purchases.account_id) as customer_id,
        purchases.currency,
        {{ reporting_date('purchases.ordered_at') }} as order_date,
        purchases.ordered_at,
        purchases.amount,
    from {{ ref('int_purchases') }} as purchases
    inner join counted_statuses
        on purchases.status = counted_statuses.order_status
    where purchases.person_id is not null or purchases.account_id is not null
),

rated_purchases as (
    select
        purchases.*,
        case
            when
                coalesce(purchases.currency, run.reporting_currency) = run.reporting_currency
                then 1
            else exchange_rates.rate
        end as rate,
    from purchases
    cross join run
    asof left join exchange_rates
        on
            purchases.currency = exchange_rates.currency
            and purchases.order_date >= exchange_rates.valid_from
)

select
    purchase_id,
    customer_type,
    customer_id,
    order_date,
    ordered_at,
    {{ in_reporting_currency('amount', 'rate') }} as amount,
    row_number() over (
        partition by customer_type, customer_id
        order by ordered_at, purchase_id
    ) as order_number,
from rated_purchases
