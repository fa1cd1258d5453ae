select max(occurred_at) as as_of from {{ ref('stg_events') }}
