-- Each visit ends where the next begins, is numbered after it, and names it as the next stage.
with

visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        stage_id,
        next_stage_id,
        is_current,
        exited_at,
        lead(visit_number) over by_subject as following_visit_number,
        lead(stage_id) over by_subject as following_stage_id,
        lead(entered_at) over by_subject as following_entered_at,
    from {{ ref('fct_stage_visits') }}
    window by_subject as (
        partition by funnel_id, subject_id
        order by visit_number
    )
)

select *
from visits
where
    is_current != (following_visit_number is null)
    or following_visit_number != visit_number + 1
    or following_stage_id != next_stage_id
    or exited_at is distinct from following_entered_at
