with

declared_attributes as (
    select attribute from {{ ref('segments') }}
    union
    select attribute from {{ ref('intent_rules') }}
    union
    select attribute from {{ ref('qualification_rules') }}
    union
    select attribute from {{ ref('key_account_rules') }}
    union
    select feature_name as attribute from {{ ref('lead_score_features') }}
    where feature_type = 'attribute'
),

-- What the tables on sales ask for by these names.
asked_attributes as (
    {%- for attribute in ['next_step', 'competitor', 'buying_role', 'hs_buying_role'] %}
        {{- ' union all' if not loop.first }}
        select '{{ attribute }}' as attribute
    {%- endfor %}
)

select attribute from declared_attributes
where attribute is not null
union
select attribute from asked_attributes
