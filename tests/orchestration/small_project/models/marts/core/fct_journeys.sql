select
    stg_events.user_id as subject_id,
    count(*) as events,
from {{ ref('stg_events') }} as stg_events
cross join {{ ref('int_run') }} as int_run
where stg_events.occurred_at <= int_run.as_of
group by all
