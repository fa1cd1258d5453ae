with

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
    from {{ ref('int_cohort_segments') }}
),

cohort_stages as (
    select
        cohort_segment_id,
        stage_id,
        mature_reached,
        mature_advanced,
    from {{ ref('int_cohort_stages') }}
),

ladder as (
    select
        funnel_id,
        stage_id,
        stage_kind,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
    where stage_position is not null
),

first_won_stages as (
    select
        funnel_id,
        min(stage_position) as stage_position,
    from ladder
    where stage_kind = 'won'
    group by all
),

-- From the first won stage on nobody is lost: who got there is won already.
leaks as (
    select
        ladder.funnel_id,
        ladder.stage_id,
    from ladder
    inner join first_won_stages on ladder.funnel_id = first_won_stages.funnel_id
    where ladder.stage_position < first_won_stages.stage_position
),

stage_rates as (
    select
        cohort_segments.cohort_segment_id,
        cohort_segments.funnel_id,
        cohort_segments.cohort_grain,
        cohort_segments.cohort_date,
        cohort_segments.segment_name,
        cohort_segments.segment_value,
        cohort_stages.stage_id,
        cohort_stages.mature_reached,
        cohort_stages.mature_advanced,
        {{ is_reportable('cohort_stages.mature_reached') }} as is_reportable,
        {{ rate('cohort_stages.mature_advanced', 'cohort_stages.mature_reached') }} as advance_rate,
    from cohort_segments
    inner join cohort_stages on cohort_segments.cohort_segment_id = cohort_stages.cohort_segment_id
    inner join leaks
        on
            cohort_segments.funnel_id = leaks.funnel_id
            and cohort_stages.stage_id = leaks.stage_id
),

-- Of equal rates, that of more journeys, as the surer one.
best_quarters as (
    select
        funnel_id,
        segment_name,
        segment_value,
        stage_id,
        cohort_date,
        mature_reached,
        mature_advanced,
    from stage_rates
    where cohort_grain = 'quarter' and is_reportable
    qualify
        row_number() over (
            partition by funnel_id, segment_name, segment_value, stage_id
            order by advance_rate desc, mature_reached desc, cohort_date desc
        ) = 1
),

best_values as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        stage_id,
        mature_reached,
        mature_advanced,
        advance_rate,
    from stage_rates
    where segment_name != 'all' and is_reportable
    qualify
        row_number() over (
            partition by funnel_id, cohort_grain, cohort_date, segment_name, stage_id
            order by advance_rate desc, mature_reached desc, segment_value asc
        ) = 1
),

best_segments as (
    select
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name as compared_with,
        segment_name,
        segment_value,
        stage_id,
        mature_reached,
        mature_advanced,
    from best_values

    union all

    select
        funnel_id,
        cohort_grain,
        cohort_date,
        'all' as compared_with,
        segment_name,
        segment_value,
        stage_id,
        mature_reached,
        mature_advanced,
    from best_values
    qualify
        row_number() over (
            partition by funnel_id, cohort_grain, cohort_date, stage_id
            order by advance_rate desc, mature_reached desc, segment_name asc, segment_value asc
        ) = 1
)

select
    stage_rates.cohort_segment_id,
    stage_rates.stage_id,
    best_quarters.cohort_date as best_quarter_date,
    best_quarters.mature_reached as best_quarter_reached,
    best_quarters.mature_advanced as best_quarter_advanced,
    best_segments.segment_name as best_segment_name,
    best_segments.segment_value as best_segment_value,
    best_segments.mature_reached as best_segment_reached,
    best_segments.mature_advanced as best_segment_advanced,
from stage_rates
left join best_quarters
    on
        stage_rates.funnel_id = best_quarters.funnel_id
        and stage_rates.segment_name = best_quarters.segment_name
        and stage_rates.segment_value = best_quarters.segment_value
        and stage_rates.stage_id = best_quarters.stage_id
left join best_segments
    on
        stage_rates.funnel_id = best_segments.funnel_id
        and stage_rates.cohort_grain = best_segments.cohort_grain
        and stage_rates.cohort_date is not distinct from best_segments.cohort_date
        and stage_rates.segment_name = best_segments.compared_with
        and stage_rates.stage_id = best_segments.stage_id
