with

segments as (
    select attribute
    from {{ ref('segments') }}
),

intent_rules as (
    select attribute
    from {{ ref('intent_rules') }}
),

qualification_rules as (
    select attribute
    from {{ ref('qualification_rules') }}
),

key_account_rules as (
    select attribute
    from {{ ref('key_account_rules') }}
),

lead_score_features as (
    select feature_name as attribute
    from {{ ref('lead_score_features') }}
    where feature_type = 'attribute'
),

all_attributes as (
    select attribute from segments
    union
    select attribute from intent_rules
    union
    select attribute from qualification_rules
    union
    select attribute from key_account_rules
    union
    select attribute from lead_score_features
)

select attribute
from all_attributes
where attribute is not null
