select
    events.event_name,
    events.user_id,
    cast(events.occurred_at as timestamp) as occurred_at,
from {{ source('generic', 'events') }} as events
inner join {{ source('raw', 'loads') }} as loads on events._load_id = loads.load_id
where loads.is_current
