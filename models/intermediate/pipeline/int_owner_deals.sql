{#- From the whole company down to whoever sells. -#}
{%- set levels = [
    ('all', "'all'"),
    ('branch', "coalesce(deals.branch, '(missing)')"),
    ('team', "coalesce(deals.team, '(missing)')"),
    ('seller', "coalesce(deals.owner_id, '(missing)')"),
] -%}

with

funnel_stages as (
    select
        funnel_id,
        stage_id,
        win_probability,
    from {{ ref('dim_funnel_stages') }}
),

owners as (
    select
        owner_id,
        is_active,
    from {{ ref('stg_owners') }}
),

deals as (
    select
        funnel_id,
        deal_id,
        journey_number,
        owner_id,
        team,
        branch,
        stage_id,
        outcome,
        entered_date,
        ended_date,
        {{ microseconds_of('seconds_to_outcome') }} as microseconds_to_outcome,
        amount,
    from {{ ref('int_deals') }}
)

{% for level, name in levels %}
    {{ 'union all' if not loop.first }}
    select
        deals.funnel_id,
        '{{ level }}' as level,
        {{ name }} as name,
        deals.deal_id,
        deals.journey_number,
        deals.outcome,
        deals.entered_date,
        deals.ended_date,
        deals.microseconds_to_outcome,
        deals.amount,
        {{ weighted_amount('deals.amount', 'funnel_stages.win_probability') }} as weighted_amount,
        -- Who is not said to have left is there.
        deals.owner_id is not null and coalesce(owners.is_active, true) as is_of_active_owner,
    from deals
    left join funnel_stages
        on
            deals.funnel_id = funnel_stages.funnel_id
            and deals.stage_id = funnel_stages.stage_id
    left join owners
        on deals.owner_id = owners.owner_id
{% endfor %}
