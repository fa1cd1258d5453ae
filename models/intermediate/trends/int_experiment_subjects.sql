with

experiments as (
    select
        experiment_id,
        funnel_id,
        segment_name,
        started_on,
        ended_on,
    from {{ ref('experiments') }}
),

variants as (
    select
        experiment_id,
        variant,
    from {{ ref('experiment_variants') }}
),

assignments as (
    select
        experiment_id,
        subject_id,
        variant,
    from {{ ref('experiment_assignments') }}
),

journeys as (
    select
        funnel_id,
        subject_id,
        journey_number,
        entered_date,
        is_mature,
    from {{ ref('fct_journeys') }}
),

journey_segments as (
    select
        funnel_id,
        subject_id,
        journey_number,
        segment_name,
        segment_value,
    from {{ ref('fct_journey_segments') }}
),

-- Variants are given to subjects: of several journeys of one, the first takes part.
first_journeys as (
    select
        experiments.experiment_id,
        experiments.segment_name,
        journeys.funnel_id,
        journeys.subject_id,
        min(journeys.journey_number) as journey_number,
        min_by(journeys.is_mature, journeys.journey_number) as is_mature,
    from experiments
    inner join journeys
        on
            experiments.funnel_id = journeys.funnel_id
            and journeys.entered_date between experiments.started_on and experiments.ended_on
    group by all
),

subject_variants as (
    select
        first_journeys.experiment_id,
        first_journeys.funnel_id,
        first_journeys.subject_id,
        first_journeys.journey_number,
        first_journeys.is_mature,
        journey_segments.segment_value as variant,
    from first_journeys
    inner join journey_segments
        on
            first_journeys.funnel_id = journey_segments.funnel_id
            and first_journeys.subject_id = journey_segments.subject_id
            and first_journeys.journey_number = journey_segments.journey_number
            and first_journeys.segment_name = journey_segments.segment_name
    union all
    select
        first_journeys.experiment_id,
        first_journeys.funnel_id,
        first_journeys.subject_id,
        first_journeys.journey_number,
        first_journeys.is_mature,
        assignments.variant,
    from first_journeys
    inner join assignments
        on
            first_journeys.experiment_id = assignments.experiment_id
            and first_journeys.subject_id = assignments.subject_id
    where first_journeys.segment_name is null
)

select
    subject_variants.experiment_id,
    subject_variants.funnel_id,
    subject_variants.subject_id,
    subject_variants.journey_number,
    subject_variants.is_mature,
    min(subject_variants.variant) as variant,
from subject_variants
inner join variants
    on
        subject_variants.experiment_id = variants.experiment_id
        and subject_variants.variant = variants.variant
group by all
-- Who has seen several variants is evidence for none.
having count(*) = 1
