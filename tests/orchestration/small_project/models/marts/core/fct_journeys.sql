select
    stg_generic__events.user_id as subject_id,
    count(*) as events,
from {{ ref('stg_generic__events') }} as stg_generic__events
cross join {{ ref('int_run') }} as int_run
where stg_generic__events.occurred_at <= int_run.as_of
group by all
