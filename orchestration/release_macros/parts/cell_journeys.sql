cell_journeys as (
    select
        journeys.funnel_id,
        journeys.subject_id,
        journeys.journey_number,
        journeys.entered_date,
        journeys.entered_at,
        journeys.furthest_stage_id,
        journeys.furthest_stage_position,
        journeys.outcome,
        journeys.loss_reason,
        journeys.is_mature,
        journeys.ended_at,
        journeys.amount
    from asked
    inner join fct_journeys as journeys on asked.funnel_id = journeys.funnel_id
    left join fct_journey_segments as segments
        on
            journeys.funnel_id = segments.funnel_id
            and journeys.subject_id = segments.subject_id
            and journeys.journey_number = segments.journey_number
            and segments.segment_name = segment
            and segments.segment_value = value
    where
        (segment = 'all' or segments.subject_id is not null)
        and (
            grain = 'all'
            or cast(date_trunc($grain_of_cohort, journeys.entered_date) as date)
            = cast(cohort as date)
        )
),
