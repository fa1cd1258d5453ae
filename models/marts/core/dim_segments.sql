with

funnels as (
    select
        funnel_id,
        subject_type,
    from {{ ref('funnels') }}
),

segments as (
    select
        segment_name,
        subject_type,
        attribute,
    from {{ ref('segments') }}
)

select
    funnels.funnel_id,
    segments.segment_name,
    segments.subject_type,
    segments.attribute,
    true as adds_up,
from segments
inner join funnels
    on segments.subject_type = funnels.subject_type
