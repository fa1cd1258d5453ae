with

run as (
    select as_of from {{ ref('int_run') }}
),

orders as (
    select
        source,
        order_id,
        order_number,
        user_id,
        account_id,
        status,
        currency,
        source_file,
        source_row,
        ordered_at,
        amount,
    from {{ ref('stg_orders') }}
),

sources as (
    select
        source,
        order_precedence,
    from {{ ref('sources') }}
),

user_persons as (
    select
        identifier as user_id,
        person_id,
    from {{ ref('int_person_identifiers') }}
    where identifier_type = 'user_id'
)

select
    orders.order_id,
    orders.source,
    sources.order_precedence,
    orders.order_number,
    orders.user_id,
    user_persons.person_id,
    orders.account_id,
    orders.status,
    orders.currency,
    orders.source_file,
    orders.source_row,
    orders.ordered_at,
    orders.amount,
from orders
left join sources
    on orders.source = sources.source
left join user_persons
    on orders.user_id = user_persons.user_id
cross join run
where orders.ordered_at < run.as_of
