select
    'event' as evidence_type,
    event_name as evidence_name,
    count(*) as evidence_rows,
from {{ ref('stg_events') }}
where event_name not in ('visit', 'cart')
group by all
