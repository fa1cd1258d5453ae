{%- set origins = [
    'campaign_source', 'campaign_medium', 'campaign_name', 'referrer_host', 'landing_page',
] -%}

with

rules as (
    select
        rule_position,
        channel,
        {%- for origin in origins %}
            {{ origin }},
        {%- endfor %}
    from {{ ref('channel_rules') }}
),

-- There are many sessions of few origins.
session_origins as (
    select distinct
        {%- for origin in origins %}
            {{ origin }},
        {%- endfor %}
    from {{ ref('int_sessions') }}
),

matches as (
    select
        {%- for origin in origins %}
            session_origins.{{ origin }},
        {%- endfor %}
        rules.rule_position,
        rules.channel,
    from session_origins
    left join rules
        on
            {%- for origin in origins %}
                (
                    rules.{{ origin }} is null
                    or {{ matches_regex(
                        "lower(coalesce(session_origins." ~ origin ~ ", ''))", 'rules.' ~ origin
                    ) }}
                )
                {{- ' and' if not loop.last }}
            {%- endfor %}
)

select
    {%- for origin in origins %}
        {{ origin }},
    {%- endfor %}
    min_by(channel, rule_position) as channel,
from matches
group by
    {%- for origin in origins %}
        {{ origin }}
        {{- ',' if not loop.last }}
    {%- endfor %}
