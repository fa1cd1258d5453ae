with

kept_funnels as (
    select * from {{ source('known_on', 'funnel_conversion') }}
)

select
    {{ contract_columns() }}
from kept_funnels
