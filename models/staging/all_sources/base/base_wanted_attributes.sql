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
)

select attribute from declared_attributes
union
select attribute from asked_attributes
