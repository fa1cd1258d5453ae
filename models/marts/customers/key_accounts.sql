with

key_account_rules as (
    select
        rule_name,
        criterion,
        at_least,
        attribute,
        match_type,
        match_value,
    from {{ ref('key_account_rules') }}
),

accounts as (
    select
        account_id,
        attributes,
    from {{ ref('stg_accounts') }}
    where not is_deleted and merged_into_id is null
),

-- A deal may be in several funnels, and is worth its amount once.
deals as (
    select
        deal_id,
        account_id,
        max(case when outcome = 'won' then amount end) as won_amount,
        bool_or(outcome = 'won') as is_won,
        max(case when outcome = 'open' then amount end) as open_amount,
        bool_or(outcome = 'open') as is_open,
    from {{ ref('int_deals') }}
    where account_id is not null
    group by all
),

account_deals as (
    select
        account_id,
        count(case when is_won then 1 end) as won_deals,
        count(case when is_won and won_amount is null then 1 end) as won_without_amount,
        sum(won_amount) as won_amount,
        count(case when is_open then 1 end) as open_deals,
        count(case when is_open and open_amount is null then 1 end) as open_without_amount,
        sum(open_amount) as open_amount,
    from deals
    group by all
),

account_orders as (
    select
        customer_id as account_id,
        count(*) as orders,
        count(*) - count(amount) as orders_without_amount,
        sum(amount) as revenue,
    from {{ ref('int_customer_orders') }}
    where customer_type = 'account'
    group by all
),

valued_accounts as (
    select
        accounts.account_id,
        accounts.attributes,
        coalesce(account_deals.won_deals, 0) as won_deals,
        coalesce(account_orders.orders, 0) as orders,
        coalesce(account_deals.won_without_amount, 0)
        + coalesce(account_orders.orders_without_amount, 0) as value_without_amount,
        cast(
            coalesce(account_deals.won_amount, 0) + coalesce(account_orders.revenue, 0)
            as decimal(18, 4)
        ) as account_value,
        coalesce(account_deals.open_deals, 0) as open_deals,
        coalesce(account_deals.open_without_amount, 0) as potential_without_amount,
        cast(coalesce(account_deals.open_amount, 0) as decimal(18, 4)) as potential,
    from accounts
    left join account_deals
        on accounts.account_id = account_deals.account_id
    left join account_orders
        on accounts.account_id = account_orders.account_id
),

-- A handful of rules for each account.
judged as (
    select
        valued_accounts.account_id,
        key_account_rules.rule_name,
        bool_and(coalesce(
            case key_account_rules.criterion
                when 'value' then valued_accounts.account_value >= key_account_rules.at_least
                when 'potential' then valued_accounts.potential >= key_account_rules.at_least
                else {{ matches_rule(
                    json_text_at('valued_accounts.attributes', 'key_account_rules.attribute'),
                    'key_account_rules.match_type',
                    'key_account_rules.match_value'
                ) }}
            end,
            false
        )) as is_met,
    from valued_accounts
    cross join key_account_rules
    group by all
),

met as (
    select
        account_id,
        count(*) as rules_met,
        min(rule_name) as first_rule_met,
    from judged
    where is_met
    group by all
)

select
    valued_accounts.account_id,
    met.first_rule_met,
    coalesce(met.rules_met, 0) as rules_met,
    met.rules_met is not null as is_key_account,
    valued_accounts.won_deals,
    valued_accounts.orders,
    valued_accounts.account_value,
    valued_accounts.value_without_amount,
    valued_accounts.open_deals,
    valued_accounts.potential,
    valued_accounts.potential_without_amount,
from valued_accounts
left join met
    on valued_accounts.account_id = met.account_id
