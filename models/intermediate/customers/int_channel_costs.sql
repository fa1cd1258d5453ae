with

run as (
    select reporting_currency from {{ ref('int_run') }}
),

channel_costs as (
    select
        channel,
        period_date,
        cost,
        currency,
    from {{ ref('channel_costs') }}
),

exchange_rates as (
    select
        currency,
        valid_from,
        rate,
    from {{ ref('exchange_rates') }}
),

rated_costs as (
    select
        channel_costs.channel,
        channel_costs.period_date,
        channel_costs.cost,
        case
            when
                coalesce(channel_costs.currency, run.reporting_currency) = run.reporting_currency
                then 1
            else exchange_rates.rate
        end as rate,
    from channel_costs
    cross join run
    asof left join exchange_rates
        on
            channel_costs.currency = exchange_rates.currency
            and channel_costs.period_date >= exchange_rates.valid_from
)

select
    channel,
    period_date,
    {{ in_reporting_currency('cost', 'rate') }} as cost,
from rated_costs
