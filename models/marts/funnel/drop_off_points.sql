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
        mature_reached,
        mature_advanced,
        mature_won_beyond,
        mature_won_beyond - mature_amount_unknown_beyond as mature_amount_known_beyond,
        mature_amount_won_beyond,
        mature_amount_unknown_beyond,
        stage_position = max(stage_position) over (partition by cohort_segment_id) as is_last,
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
),

best_stage_rates as (
    select
        cohort_segment_id,
        stage_id,
        best_quarter_date,
        best_quarter_advanced,
        best_quarter_reached,
        best_segment_name,
        best_segment_value,
        best_segment_advanced,
        best_segment_reached,
        {{ rate('best_quarter_advanced', 'best_quarter_reached') }} as best_quarter_rate,
        {{ rate('best_segment_advanced', 'best_segment_reached') }} as best_segment_rate,
    from {{ ref('int_best_stage_rates') }}
),

best_quarter_gains as (
    select
        cohort_segment_id,
        stage_id,
        wins,
        wins_low,
        wins_high,
        amount,
        amount_low,
        amount_high,
        gain_rank,
    from {{ ref('int_leak_gains') }}
    where scenario = 'best_quarter'
),

best_segment_gains as (
    select
        cohort_segment_id,
        stage_id,
        wins,
        wins_low,
        wins_high,
        amount,
        amount_low,
        amount_high,
        gain_rank,
    from {{ ref('int_leak_gains') }}
    where scenario = 'best_segment'
),

one_point_gains as (
    select
        cohort_segment_id,
        stage_id,
        wins,
        wins_low,
        wins_high,
        amount,
        amount_low,
        amount_high,
        gain_rank,
    from {{ ref('int_leak_gains') }}
    where scenario = 'one_point'
),

drop_offs as (
    select
        cell_id,
        stage_id,
        microseconds_to_return,
    from {{ ref('int_drop_offs') }}
    where microseconds_to_return is not null
),

returns as (
    select
        cell_cohorts.cohort_segment_id,
        drop_offs.stage_id,
        count(*) as came_back,
        {{ sorted_numbers('drop_offs.microseconds_to_return') }} as sorted_microseconds,
    from drop_offs
    inner join cell_cohorts on drop_offs.cell_id = cell_cohorts.cell_id
    group by all
),

stage_returns as (
    select
        cohort_stages.cohort_segment_id,
        cohort_stages.stage_id,
        coalesce(returns.came_back, 0) as came_back,
        returns.sorted_microseconds,
    from cohort_stages
    left join returns
        on
            cohort_stages.cohort_segment_id = returns.cohort_segment_id
            and cohort_stages.stage_id = returns.stage_id
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
    {{ is_reportable('cohort_stages.reached') }} as drop_off_rate_is_reportable,
    case
        when cohort_stages.dropped = 0 or cohort_stages.amount_unknown < cohort_stages.dropped
            then cohort_stages.amount_lost
    end as amount_lost,
    cohort_stages.amount_unknown,
    top_loss_reasons.loss_reason as top_loss_reason,
    stage_returns.came_back,
    {{ rate('stage_returns.came_back', 'cohort_stages.dropped') }} as came_back_rate,
    {{ wilson_low('stage_returns.came_back', 'cohort_stages.dropped') }} as came_back_rate_low,
    {{ wilson_high('stage_returns.came_back', 'cohort_stages.dropped') }} as came_back_rate_high,
    {{ is_reportable('cohort_stages.dropped') }} as came_back_rate_is_reportable,
    {{ seconds_of(quantile_of_sorted('stage_returns.sorted_microseconds', 0.5)) }}
        as median_seconds_to_return,
    {{ seconds_of(median_low('stage_returns.sorted_microseconds')) }}
        as median_seconds_to_return_low,
    {{ seconds_of(median_high('stage_returns.sorted_microseconds')) }}
        as median_seconds_to_return_high,
    {{ is_reportable('stage_returns.came_back') }} as median_to_return_is_reportable,
    cohort_stages.mature_reached,
    cohort_stages.mature_advanced,
    case
        when not cohort_stages.is_last
            then {{ rate('cohort_stages.mature_advanced', 'cohort_stages.mature_reached') }}
    end as advance_rate,
    case
        when not cohort_stages.is_last
            then {{ wilson_low('cohort_stages.mature_advanced', 'cohort_stages.mature_reached') }}
    end as advance_rate_low,
    case
        when not cohort_stages.is_last
            then {{ wilson_high('cohort_stages.mature_advanced', 'cohort_stages.mature_reached') }}
    end as advance_rate_high,
    {{ is_reportable('cohort_stages.mature_reached') }} as advance_rate_is_reportable,
    cohort_stages.mature_won_beyond,
    {{ rate('cohort_stages.mature_won_beyond', 'cohort_stages.mature_advanced') }}
        as win_rate_after,
    {{ wilson_low('cohort_stages.mature_won_beyond', 'cohort_stages.mature_advanced') }}
        as win_rate_after_low,
    {{ wilson_high('cohort_stages.mature_won_beyond', 'cohort_stages.mature_advanced') }}
        as win_rate_after_high,
    {{ is_reportable('cohort_stages.mature_advanced') }} as win_rate_after_is_reportable,
    case
        when cohort_stages.mature_won_beyond = 0 or cohort_stages.mature_amount_known_beyond > 0
            then cohort_stages.mature_amount_won_beyond
    end as mature_amount_won_beyond,
    cohort_stages.mature_amount_unknown_beyond,
    best_stage_rates.best_quarter_date,
    best_stage_rates.best_quarter_advanced,
    best_stage_rates.best_quarter_reached,
    best_stage_rates.best_quarter_rate,
    best_quarter_gains.wins as best_quarter_wins,
    best_quarter_gains.wins_low as best_quarter_wins_low,
    best_quarter_gains.wins_high as best_quarter_wins_high,
    best_quarter_gains.amount as best_quarter_amount,
    best_quarter_gains.amount_low as best_quarter_amount_low,
    best_quarter_gains.amount_high as best_quarter_amount_high,
    best_quarter_gains.gain_rank as best_quarter_rank,
    best_stage_rates.best_segment_name,
    best_stage_rates.best_segment_value,
    best_stage_rates.best_segment_advanced,
    best_stage_rates.best_segment_reached,
    best_stage_rates.best_segment_rate,
    best_segment_gains.wins as best_segment_wins,
    best_segment_gains.wins_low as best_segment_wins_low,
    best_segment_gains.wins_high as best_segment_wins_high,
    best_segment_gains.amount as best_segment_amount,
    best_segment_gains.amount_low as best_segment_amount_low,
    best_segment_gains.amount_high as best_segment_amount_high,
    best_segment_gains.gain_rank as best_segment_rank,
    one_point_gains.wins as one_point_wins,
    one_point_gains.wins_low as one_point_wins_low,
    one_point_gains.wins_high as one_point_wins_high,
    one_point_gains.amount as one_point_amount,
    one_point_gains.amount_low as one_point_amount_low,
    one_point_gains.amount_high as one_point_amount_high,
    one_point_gains.gain_rank as one_point_rank,
from cohort_segments
inner join cohort_stages on cohort_segments.cohort_segment_id = cohort_stages.cohort_segment_id
inner join stage_returns
    on
        cohort_stages.cohort_segment_id = stage_returns.cohort_segment_id
        and cohort_stages.stage_id = stage_returns.stage_id
left join top_loss_reasons
    on
        cohort_stages.cohort_segment_id = top_loss_reasons.cohort_segment_id
        and cohort_stages.stage_id = top_loss_reasons.stage_id
left join best_stage_rates
    on
        cohort_stages.cohort_segment_id = best_stage_rates.cohort_segment_id
        and cohort_stages.stage_id = best_stage_rates.stage_id
left join best_quarter_gains
    on
        cohort_stages.cohort_segment_id = best_quarter_gains.cohort_segment_id
        and cohort_stages.stage_id = best_quarter_gains.stage_id
left join best_segment_gains
    on
        cohort_stages.cohort_segment_id = best_segment_gains.cohort_segment_id
        and cohort_stages.stage_id = best_segment_gains.stage_id
left join one_point_gains
    on
        cohort_stages.cohort_segment_id = one_point_gains.cohort_segment_id
        and cohort_stages.stage_id = one_point_gains.stage_id
