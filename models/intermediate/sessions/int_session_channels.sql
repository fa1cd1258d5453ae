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

-- A regular expression in a column is read anew for each row: each value is asked once.
asked_values as (
    {%- for origin in origins %}
        select
            '{{ origin }}' as origin,
            {{ origin }} as origin_value,
        from origins
        {{ 'union' if not loop.last }}
    {%- endfor %}
),

rule_patterns as (
    {%- for origin in origins %}
        select
            '{{ origin }}' as origin,
            rule_position,
            '(?i)' || {{ origin }} as pattern,
        from rules
        where {{ origin }} is not null
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

matched_values as (
    select
        asked_values.origin,
        asked_values.origin_value,
        rule_patterns.rule_position,
    from asked_values
    inner join rule_patterns
        on
            asked_values.origin = rule_patterns.origin
            and {{ matches_regex(
                "coalesce(asked_values.origin_value, '')", 'rule_patterns.pattern'
            ) }}
),

matches as (
    select
        origins.*,
        rules.rule_position,
        rules.channel,
    from origins
    cross join rules
    {%- for origin in origins %}
        left join matched_values as matched_{{ origin }}
            on
                origins.{{ origin }} is not distinct from matched_{{ origin }}.origin_value
                and rules.rule_position = matched_{{ origin }}.rule_position
                and matched_{{ origin }}.origin = '{{ origin }}'
    {%- endfor %}
    where
        true
        {%- for origin in origins %}
            and (
                rules.{{ origin }} is null
                or matched_{{ origin }}.rule_position is not null
            )
        {%- endfor %}
)

select
    {{ origins | join(', ') }},
    min_by(channel, rule_position) as channel,
from matches
group by {{ origins | join(', ') }}
