journey_visits as (
    select
        *,
        min(visit_number) filter (where stage_id = from_stage) over (
            partition by subject_id, journey_number
        ) as from_visit_number
    from cell_visits
    where journey_number > 0 and stage_id in (from_stage, to_stage)
),

first_visits as (
    select *
    from journey_visits
    where visit_number = from_visit_number
),

-- The first visit of the other stage that comes after the first one of this.
later_visits as (
    select
        subject_id,
        journey_number,
        stage_kind,
        entered_at
    from journey_visits
    where stage_id = to_stage and stage_id != from_stage and visit_number > from_visit_number
    qualify
        row_number() over (partition by subject_id, journey_number order by visit_number) = 1
),

-- A win ends the journey, but a later won stage still extends it.
passages as (
    select
        first_visits.funnel_id,
        first_visits.subject_id,
        first_visits.journey_number,
        first_visits.visit_number,
        first_visits.outcome,
        first_visits.entered_at as from_at,
        later_visits.entered_at as to_at,
        case
            when first_visits.entered_at is null then 'undated'
            when later_visits.subject_id is not null and later_visits.entered_at is null
                then 'undated'
            when
                later_visits.subject_id is not null
                and (
                    first_visits.outcome = 'open'
                    or not coalesce(
                        later_visits.entered_at > first_visits.ended_at
                        and not (
                            first_visits.outcome = 'won' and later_visits.stage_kind = 'won'
                        ), false
                    )
                )
                then 'completed'
            when first_visits.outcome = 'open' then 'censored'
            else 'competing'
        end as told
    from first_visits
    left join later_visits
        on
            first_visits.subject_id = later_visits.subject_id
            and first_visits.journey_number = later_visits.journey_number
),
