{%- set origins = [
    'campaign_source', 'campaign_medium', 'campaign_name', 'referrer_host', 'landing_page',
] -%}

with

rules as (
    select * from {{ ref('channel_rules') }}
),

-- There are many sessions of few origins.
origins as (
    select distinct {{ origins | join(', ') }},
    from {{ ref('int_sessions') }}
),

matches as (
    select
        origins.*,
        rules.rule_position,
        rules.channel,
    from origins
    left join rules
        on
            true
            {%- for origin in origins %}
                and (
                    rules.{{ origin }} is null
                    or {{ matches_regex(
                        "lower(coalesce(origins." ~ origin ~ ", ''))", 'rules.' ~ origin
                    ) }}
                )
            {%- endfor %}
)

select
    {{ origins | join(', ') }},
    min_by(channel, rule_position) as channel,
from matches
group by {{ origins | join(', ') }}
