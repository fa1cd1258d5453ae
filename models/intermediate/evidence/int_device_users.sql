with

events as (
    select
        anonymous_id,
        user_id,
    from {{ ref('stg_events') }}
    where anonymous_id is not null and user_id is not null
)

select
    anonymous_id,
    min(user_id) as user_id,
from events
group by all
-- Whose the anonymous events of a shared device are cannot be told.
having count(distinct user_id) = 1
