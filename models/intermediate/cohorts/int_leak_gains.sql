with

cohort_stages as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        mature_reached,
        mature_advanced,
        {{ rate('mature_advanced', 'mature_reached') }} as advance_rate,
        {{ rate('mature_won_beyond', 'mature_advanced') }} as win_rate_after,
        {{ wilson_low('mature_won_beyond', 'mature_advanced') }} as win_rate_after_low,
        {{ wilson_high('mature_won_beyond', 'mature_advanced') }} as win_rate_after_high,
        {{ rate(
            'mature_amount_won_beyond', '(mature_won_beyond - mature_amount_unknown_beyond)'
        ) }} as mean_amount,
    from {{ ref('int_cohort_stages') }}
),

best_stage_rates as (
    select
        cohort_segment_id,
        stage_id,
        best_quarter_reached,
        best_quarter_advanced,
        best_segment_reached,
        best_segment_advanced,
    from {{ ref('int_best_stage_rates') }}
),

leaks as (
    select
        cohort_stages.cohort_segment_id,
        cohort_stages.stage_id,
        cohort_stages.stage_position,
        cohort_stages.mature_reached,
        cohort_stages.mature_advanced,
        cohort_stages.advance_rate,
        cohort_stages.win_rate_after,
        cohort_stages.win_rate_after_low,
        cohort_stages.win_rate_after_high,
        cohort_stages.mean_amount,
        best_stage_rates.best_quarter_reached,
        best_stage_rates.best_quarter_advanced,
        best_stage_rates.best_segment_reached,
        best_stage_rates.best_segment_advanced,
    from cohort_stages
    inner join best_stage_rates
        on
            cohort_stages.cohort_segment_id = best_stage_rates.cohort_segment_id
            and cohort_stages.stage_id = best_stage_rates.stage_id
),

compared_leaks as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        'best_quarter' as scenario,
        mature_reached,
        mature_advanced,
        advance_rate,
        win_rate_after,
        mean_amount,
        best_quarter_reached as best_reached,
        best_quarter_advanced as best_advanced,
    from leaks

    union all

    select
        cohort_segment_id,
        stage_id,
        stage_position,
        'best_segment' as scenario,
        mature_reached,
        mature_advanced,
        advance_rate,
        win_rate_after,
        mean_amount,
        best_segment_reached as best_reached,
        best_segment_advanced as best_advanced,
    from leaks
),

gains as (
    select
        cohort_segment_id,
        stage_id,
        stage_position,
        scenario,
        mean_amount,
        mature_reached * win_rate_after
        * ({{ rate('best_advanced', 'best_reached') }} - advance_rate) as wins,
        mature_reached * win_rate_after
        * {{ newcombe_bound(
            'best_advanced', 'best_reached', 'mature_advanced', 'mature_reached', 'low'
        ) }} as wins_low,
        mature_reached * win_rate_after
        * {{ newcombe_bound(
            'best_advanced', 'best_reached', 'mature_advanced', 'mature_reached', 'high'
        ) }} as wins_high,
    from compared_leaks

    union all

    select
        cohort_segment_id,
        stage_id,
        stage_position,
        'one_point' as scenario,
        mean_amount,
        mature_reached * least(0.01e0, 1e0 - advance_rate) * win_rate_after as wins,
        mature_reached * least(0.01e0, 1e0 - advance_rate) * win_rate_after_low as wins_low,
        mature_reached * least(0.01e0, 1e0 - advance_rate) * win_rate_after_high as wins_high,
    from leaks
)

select
    cohort_segment_id,
    stage_id,
    scenario,
    wins,
    wins_low,
    wins_high,
    cast(wins * mean_amount as decimal(18, 4)) as amount,
    cast(wins_low * mean_amount as decimal(18, 4)) as amount_low,
    cast(wins_high * mean_amount as decimal(18, 4)) as amount_high,
    cast(
        row_number() over (
            partition by cohort_segment_id, scenario
            -- Rounded, as equal wins may differ by a hair in floats.
            order by round(wins, 6) desc, stage_position
        ) as integer
    ) as gain_rank,
from gains
where wins is not null
