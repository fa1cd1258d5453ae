{#- Who has a say in a purchase, in the order in which they are told. -#}
{%- set roles = ['decider', 'technical_selector', 'purchaser', 'approver', 'user'] -%}

with

run as (
    select as_of from {{ ref('int_run') }}
),

deals as (
    select distinct
        funnel_id,
        deal_id,
        account_id,
    from {{ ref('int_deals') }}
    where account_id is not null
),

contacts as (
    select
        contact_id,
        account_id,
        coalesce(merged_into_id, contact_id) as surviving_contact_id,
    from {{ ref('int_identity_contacts') }}
),

-- A contact may have several, with semicolons between them.
listed_roles as (
    select
        contact_id,
        {{ exploded(split_text(
            "lower(" ~ json_text('attributes', 'buying_role') ~ ")", ';'
        )) }} as buying_role,
    from {{ ref('stg_contacts') }}
),

contact_roles as (
    select
        contact_id,
        {{ clean_text('buying_role') }} as buying_role,
    from listed_roles
),

activities as (
    select
        contact_id,
        occurred_at,
    from {{ ref('stg_activities') }}
    where contact_id is not null
),

met_contacts as (
    select distinct contacts.surviving_contact_id,
    from activities
    inner join contacts
        on activities.contact_id = contacts.contact_id
    inner join run
        on activities.occurred_at < run.as_of
),

account_roles as (
    select
        contacts.account_id,
        contact_roles.buying_role,
        max(case when met_contacts.surviving_contact_id is not null then 1 else 0 end) as is_met,
    from contacts
    inner join contact_roles
        on contacts.contact_id = contact_roles.contact_id
    left join met_contacts
        on contacts.surviving_contact_id = met_contacts.surviving_contact_id
    where
        contact_roles.buying_role in (
            {% for role in roles %}
                '{{ role }}'{{ ',' if not loop.last }}
            {% endfor %}
        )
    group by all
),

accounts as (
    select
        account_id,
        {% for role in roles %}
            max(case when buying_role = '{{ role }}' then is_met else 0 end) as {{ role }}s_met,
        {% endfor %}
    from account_roles
    group by all
),

deal_roles as (
    select
        deals.funnel_id,
        deals.deal_id,
        count(accounts.account_id) over (partition by deals.funnel_id) as deals_with_roles,
        {% for role in roles %}
            coalesce(accounts.{{ role }}s_met, 0) as {{ role }}s_met,
        {% endfor %}
    from deals
    left join accounts
        on deals.account_id = accounts.account_id
)

select
    funnel_id,
    deal_id,
    {{ roles | length }}
    {%- for role in roles %}
        - {{ role }}s_met
    {%- endfor %} as buying_roles_not_met,
    nullif(
        substr(
            ''
            {%- for role in roles %}
                || case when {{ role }}s_met = 0 then ', {{ role }}' else '' end
            {%- endfor %},
            3
        ),
        ''
    ) as missing_buying_roles,
from deal_roles
-- Where nobody writes down who has which role, none is missing.
where deals_with_roles > 0
