with

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        segment_adds_up,
    from {{ ref('int_cohort_segments') }}
),

cohort_stages as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        reached,
        advanced,
        won,
        lost,
        abandoned,
        still_open,
        amount_lost,
        amount_unknown,
        lost + abandoned as dropped,
    from {{ ref('int_cohort_stages') }}
),

lost_journeys as (
    select
        cell_id,
        furthest_stage_id,
        loss_reason,
    from {{ ref('int_journey_cells') }}
    where outcome = 'lost' and loss_reason is not null
),

cell_cohorts as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_cell_cohorts') }}
),

cell_loss_reasons as (
    select
        cell_id,
        furthest_stage_id as stage_id,
        loss_reason,
        count(*) as journeys,
    from lost_journeys
    group by all
),

loss_reasons as (
    select
        cell_cohorts.cohort_segment_id,
        cell_loss_reasons.stage_id,
        cell_loss_reasons.loss_reason,
        sum(cell_loss_reasons.journeys) as journeys,
    from cell_loss_reasons
    inner join cell_cohorts on cell_loss_reasons.cell_id = cell_cohorts.cell_id
    group by all
),

top_loss_reasons as (
    select
        cohort_segment_id,
        stage_id,
        loss_reason,
    from loss_reasons
    qualify
        row_number() over (
            partition by cohort_segment_id, stage_id
            order by journeys desc, loss_reason asc
        ) = 1
)

select
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    cohort_segments.segment_adds_up,
    cohort_stages.stage_id,
    cohort_stages.stage_position,
    cohort_stages.reached,
    cohort_stages.advanced,
    cohort_stages.won,
    cohort_stages.lost,
    cohort_stages.abandoned,
    cohort_stages.still_open,
    {{ rate('cohort_stages.dropped', 'cohort_stages.reached') }} as drop_off_rate,
    {{ wilson_low('cohort_stages.dropped', 'cohort_stages.reached') }} as drop_off_rate_low,
    {{ wilson_high('cohort_stages.dropped', 'cohort_stages.reached') }} as drop_off_rate_high,
    case
        when cohort_stages.dropped = 0 or cohort_stages.amount_unknown < cohort_stages.dropped
            then cohort_stages.amount_lost
    end as amount_lost,
    cohort_stages.amount_unknown,
    top_loss_reasons.loss_reason as top_loss_reason,
from cohort_segments
inner join cohort_stages on cohort_segments.cohort_segment_id = cohort_stages.cohort_segment_id
left join top_loss_reasons
    on
        cohort_stages.cohort_segment_id = top_loss_reasons.cohort_segment_id
        and cohort_stages.stage_id = top_loss_reasons.stage_id
