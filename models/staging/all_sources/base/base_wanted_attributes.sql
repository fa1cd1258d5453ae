with

declared_attributes as (
    select attribute
    from {{ ref('stg_declared_attributes') }}
),

-- What the tables on sales ask for by these names.
asked_attributes as (
    {%- for attribute in ['next_step', 'competitor', 'buying_role', 'hs_buying_role'] %}
        {{- ' union all' if not loop.first }}
        select '{{ attribute }}' as attribute
    {%- endfor %}
),

wanted_attributes as (
    select attribute from declared_attributes
    union
    select attribute from asked_attributes
)

select
    array_agg(attribute) as attributes,
    array_agg(attribute || '_c') as custom_attributes,
from wanted_attributes
