-- A join that fans out or loses rows would show here: transitions are visits, one for one.
with

visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
        stage_id,
    from {{ ref('fct_stage_visits') }}
),

transitions as (
    select
        funnel_id,
        subject_id,
        visit_number,
        to_stage_id as stage_id,
    from {{ ref('fct_stage_transitions') }}
)

(
    select * from visits
    except
    select * from transitions
)

union all

(
    select * from transitions
    except
    select * from visits
)
