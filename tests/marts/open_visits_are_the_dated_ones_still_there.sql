-- A join with the calendar or the history that loses or multiplies open visits would show here.
with

visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        stage_id,
    from {{ ref('fct_stage_visits') }}
    where next_stage_id = 'still_there' and entered_at is not null
),

open_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        stage_id,
    from {{ ref('open_visits') }}
)

(
    select * from visits
    except
    select * from open_visits
)

union all

(
    select * from open_visits
    except
    select * from visits
)
