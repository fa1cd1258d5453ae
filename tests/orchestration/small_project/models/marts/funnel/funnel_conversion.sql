select
    funnels.funnel_id,
    count(*) as journeys,
from {{ ref('fct_journeys') }}
cross join {{ ref('funnels') }} as funnels
group by all
