{%- set percents = [10, 25, 50, 75, 90] -%}

with

cell_visits as (
    select
        cell_id,
        journey_number,
        previous_visit_number,
        stage_id,
        journey_outcome,
        is_mature,
        entered_at,
        microseconds_in_stage,
        microseconds_waiting,
        business_microseconds_in_stage,
        -- Once for each journey.
        case when previous_visit_number = 0 then cumulative_microseconds end
            as cumulative_microseconds,
        next_stage_id = 'still_there' as is_still_there,
    from {{ ref('int_cell_visits') }}
),

stalled_visits as (
    select
        cell_visits.cell_id,
        cell_visits.stage_id,
    from {{ ref('open_visits') }} as open_visits
    inner join {{ ref('int_cell_visits') }} as cell_visits
        on
            open_visits.funnel_id = cell_visits.funnel_id
            and open_visits.subject_id = cell_visits.subject_id
            and open_visits.visit_number = cell_visits.visit_number
    where open_visits.is_stalled
),

stage_pairs as (
    select
        cell_id,
        from_stage_id,
        to_stage_id,
        journey_outcome,
        is_mature,
        is_after_outcome,
        from_entered_at is not null as is_from_dated,
        {{ microseconds_between('from_entered_at', 'to_entered_at') }} as microseconds
    from {{ ref('int_stage_pairs') }}
),

cell_cohorts as (
    select
        cell_id,
        cohort_segment_id,
    from {{ ref('int_cell_cohorts') }}
),

cohort_segments as (
    select
        cohort_segment_id,
        funnel_id,
        cohort_grain,
        cohort_date,
        segment_name,
        segment_value,
        segment_adds_up,
        journeys,
        mature_journeys,
    from {{ ref('int_cohort_segments') }}
),

ladder as (
    select
        funnel_id,
        stage_id,
        stage_position,
    from {{ ref('dim_funnel_stages') }}
    where stage_position is not null
),

stage_survival as (
    select
        cohort_segment_id,
        stage_id as from_stage_id,
        'any_exit' as to_stage_id,
        survival_p50_microseconds,
    from {{ ref('int_stage_survival') }}
),

curve_figures as (
    select
        cohort_segment_id,
        event,
        from_stage_id,
        coalesce(to_stage_id, 'any_exit') as to_stage_id,
        microseconds_p10,
        microseconds_p25,
        microseconds_p50,
        microseconds_p50_low,
        microseconds_p50_high,
        microseconds_p75,
        microseconds_p90,
        waits,
        share,
        share_low,
        share_high,
        competing_share,
        survival,
    from {{ ref('int_curve_figures') }}
),

arrivals as (
    select * from curve_figures
    where event in ('left', 'visited')
),

wins as (
    select * from curve_figures
    where event = 'won'
),

losses as (
    select * from curve_figures
    where event = 'lost'
),

completed_times as (
    select
        cell_id,
        stage_id as from_stage_id,
        'any_exit' as to_stage_id,
        is_mature,
        microseconds_in_stage as microseconds,
    from cell_visits
    where microseconds_in_stage is not null
    union all
    select
        cell_id,
        from_stage_id,
        to_stage_id,
        is_mature,
        microseconds,
    from stage_pairs
    where microseconds is not null and not is_after_outcome
),

-- Of most cohorts all journeys are mature, or none is: their times need not be sorted twice. In all
-- time stand visits before any journey, too, which are never mature.
cohort_maturity as (
    select
        cohort_segment_id,
        case
            when mature_journeys = 0 then 'none'
            when mature_journeys = journeys and cohort_grain != 'all' then 'all'
            else 'some'
        end as mature_share,
    from cohort_segments
),

cohort_times as (
    select
        cell_cohorts.cohort_segment_id,
        completed_times.from_stage_id,
        completed_times.to_stage_id,
        cohort_maturity.mature_share,
        {{ sorted_numbers('completed_times.microseconds') }} as times,
        {{ sorted_numbers(
            "case
                when cohort_maturity.mature_share = 'some' and completed_times.is_mature
                    then completed_times.microseconds
            end"
        ) }} as some_mature_times,
    from completed_times
    inner join cell_cohorts on completed_times.cell_id = cell_cohorts.cell_id
    inner join cohort_maturity on cell_cohorts.cohort_segment_id = cohort_maturity.cohort_segment_id
    group by all
),

mature_cohort_times as (
    select
        cohort_segment_id,
        from_stage_id,
        to_stage_id,
        times,
        case mature_share when 'all' then times when 'some' then some_mature_times end
            as mature_times,
    from cohort_times
),

cohort_quantiles as (
    select
        cohort_segment_id,
        from_stage_id,
        to_stage_id,
        {% for percent in percents -%}
            {{ quantile_of_sorted('times', percent / 100) }} as microseconds_p{{ percent }},
            {{ quantile_of_sorted('mature_times', percent / 100) }}
                as mature_microseconds_p{{ percent }},
        {% endfor -%}
        {{ median_low('times') }} as microseconds_p50_low,
        {{ median_high('times') }} as microseconds_p50_high,
        {{ median_low('mature_times') }} as mature_microseconds_p50_low,
        {{ median_high('mature_times') }} as mature_microseconds_p50_high,
    from mature_cohort_times
),

-- What adds up is counted by cell first, then added up to every cohort and segment.
cell_exits as (
    select
        cell_id,
        stage_id,
        count(*) as visits,
        count(microseconds_in_stage) as completed,
        count(microseconds_waiting) as censored,
        count(microseconds_in_stage) filter (where is_mature) as mature_completed,
        sum(cast(microseconds_in_stage as decimal(38, 0))) as microseconds,
        sum(cast(microseconds_in_stage as decimal(38, 0))) filter (where is_mature)
            as mature_microseconds,
        sum(cast(business_microseconds_in_stage as decimal(38, 0))) as business_microseconds,
        count(cumulative_microseconds) as cumulative_completed,
        count(*) filter (where is_still_there) as still_there,
    from cell_visits
    group by all
),

cohort_exits as (
    select
        cell_cohorts.cohort_segment_id,
        cell_exits.stage_id as from_stage_id,
        sum(cell_exits.visits) as visits,
        sum(cell_exits.completed) as completed,
        sum(cell_exits.censored) as censored,
        sum(cell_exits.mature_completed) as mature_completed,
        sum(cell_exits.microseconds) as microseconds,
        sum(cell_exits.mature_microseconds) as mature_microseconds,
        sum(cell_exits.business_microseconds) as business_microseconds,
        sum(cell_exits.cumulative_completed) as cumulative_completed,
        sum(cell_exits.still_there) as still_there,
    from cell_exits
    inner join cell_cohorts on cell_exits.cell_id = cell_cohorts.cell_id
    group by all
),

cohort_stay_times as (
    select
        cell_cohorts.cohort_segment_id,
        cell_visits.stage_id,
        {{ sorted_numbers('cell_visits.business_microseconds_in_stage') }} as business_times,
        {{ sorted_numbers('cell_visits.cumulative_microseconds') }} as cumulative_times,
    from cell_visits
    inner join cell_cohorts on cell_visits.cell_id = cell_cohorts.cell_id
    where
        cell_visits.business_microseconds_in_stage is not null
        or cell_visits.cumulative_microseconds is not null
    group by all
),

cell_stalled as (
    select
        cell_id,
        stage_id,
        count(*) as stalled,
    from stalled_visits
    group by all
),

cohort_stalled as (
    select
        cell_cohorts.cohort_segment_id,
        cell_stalled.stage_id,
        sum(cell_stalled.stalled) as stalled,
    from cell_stalled
    inner join cell_cohorts on cell_stalled.cell_id = cell_cohorts.cell_id
    group by all
),

cohort_stays as (
    select
        cohort_exits.cohort_segment_id,
        cohort_exits.from_stage_id,
        'any_exit' as to_stage_id,
        cohort_exits.completed,
        cohort_exits.microseconds,
        cohort_exits.business_microseconds,
        cohort_exits.cumulative_completed,
        cohort_exits.still_there,
        coalesce(cohort_stalled.stalled, 0) as stalled,
        {% for kind in ['business', 'cumulative'] -%}
            {%- set times = 'cohort_stay_times.' ~ kind ~ '_times' -%}
            {{ quantile_of_sorted(times, 0.5) }} as {{ kind }}_microseconds_p50,
            {{ median_low(times) }} as {{ kind }}_microseconds_p50_low,
            {{ median_high(times) }} as {{ kind }}_microseconds_p50_high,
        {% endfor -%}
    from cohort_exits
    left join cohort_stay_times
        on
            cohort_exits.cohort_segment_id = cohort_stay_times.cohort_segment_id
            and cohort_exits.from_stage_id = cohort_stay_times.stage_id
    left join cohort_stalled
        on
            cohort_exits.cohort_segment_id = cohort_stalled.cohort_segment_id
            and cohort_exits.from_stage_id = cohort_stalled.stage_id
),

cell_journeys as (
    select
        cell_id,
        stage_id,
        count(*) filter (where journey_outcome = 'won') as won,
        count(*) filter (where journey_outcome != 'open') as closed,
        count(*) filter (where is_mature) as mature_journeys,
        count(*) filter (where is_mature and journey_outcome = 'won') as mature_won,
        count(*) filter (where entered_at is not null and journey_outcome != 'open')
            as dated_closed,
        count(*) filter (where entered_at is not null and journey_outcome = 'open') as dated_open,
        count(*) filter (where entered_at is null) as undated,
    from cell_visits
    where journey_number > 0 and previous_visit_number = 0
    group by all
),

cohort_journeys as (
    select
        cell_cohorts.cohort_segment_id,
        cell_journeys.stage_id as from_stage_id,
        sum(cell_journeys.won) as won,
        sum(cell_journeys.closed) as closed,
        sum(cell_journeys.mature_journeys) as mature_journeys,
        sum(cell_journeys.mature_won) as mature_won,
        sum(cell_journeys.dated_closed) as dated_closed,
        sum(cell_journeys.dated_open) as dated_open,
        sum(cell_journeys.undated) as undated,
    from cell_journeys
    inner join cell_cohorts on cell_journeys.cell_id = cell_cohorts.cell_id
    group by all
),

cell_pairs as (
    select
        cell_id,
        from_stage_id,
        to_stage_id,
        count(microseconds) filter (
            where journey_outcome != 'open' and not is_after_outcome
        ) as completed_closed,
        count(microseconds) filter (where journey_outcome = 'open') as completed_open,
        count(*) filter (
            where is_from_dated and microseconds is null and journey_outcome != 'open'
        ) as undated_closed,
        count(*) filter (
            where is_from_dated and microseconds is null and journey_outcome = 'open'
        ) as undated_open,
        count(microseconds) filter (where is_mature and not is_after_outcome)
            as mature_completed,
        sum(cast(microseconds as decimal(38, 0))) filter (where not is_after_outcome)
            as microseconds,
        sum(cast(microseconds as decimal(38, 0))) filter (where is_mature and not is_after_outcome)
            as mature_microseconds,
    from stage_pairs
    group by all
),

cohort_pairs as (
    select
        cell_cohorts.cohort_segment_id,
        cell_pairs.from_stage_id,
        cell_pairs.to_stage_id,
        sum(cell_pairs.completed_closed) as completed_closed,
        sum(cell_pairs.completed_open) as completed_open,
        sum(cell_pairs.undated_closed) as undated_closed,
        sum(cell_pairs.undated_open) as undated_open,
        sum(cell_pairs.mature_completed) as mature_completed,
        sum(cell_pairs.microseconds) as microseconds,
        sum(cell_pairs.mature_microseconds) as mature_microseconds,
    from cell_pairs
    inner join cell_cohorts on cell_pairs.cell_id = cell_cohorts.cell_id
    group by all
),

pairs_to_show as (
    select
        cohort_journeys.cohort_segment_id,
        cohort_journeys.from_stage_id,
        to_stages.stage_id as to_stage_id,
    from cohort_journeys
    inner join cohort_segments
        on cohort_journeys.cohort_segment_id = cohort_segments.cohort_segment_id
    inner join ladder as from_stages
        on
            cohort_segments.funnel_id = from_stages.funnel_id
            and cohort_journeys.from_stage_id = from_stages.stage_id
    inner join ladder as to_stages
        on
            from_stages.funnel_id = to_stages.funnel_id
            and from_stages.stage_position < to_stages.stage_position
    union
    select
        cohort_segment_id,
        from_stage_id,
        to_stage_id,
    from cohort_pairs
),

cycle_counts as (
    select
        cohort_exits.cohort_segment_id,
        cohort_exits.from_stage_id,
        'any_exit' as to_stage_id,
        cohort_exits.completed,
        0 as competing,
        cohort_exits.censored,
        cohort_exits.visits - cohort_exits.completed - cohort_exits.censored as undated,
        cohort_exits.completed + cohort_exits.censored as dated_visits,
        cohort_exits.mature_completed,
        cohort_exits.microseconds,
        cohort_exits.mature_microseconds,
        coalesce(cohort_journeys.won, 0) as won,
        coalesce(cohort_journeys.closed, 0) as closed,
        coalesce(cohort_journeys.mature_journeys, 0) as mature_journeys,
        coalesce(cohort_journeys.mature_won, 0) as mature_won,
    from cohort_exits
    left join cohort_journeys
        on
            cohort_exits.cohort_segment_id = cohort_journeys.cohort_segment_id
            and cohort_exits.from_stage_id = cohort_journeys.from_stage_id
    union all
    select
        pairs_to_show.cohort_segment_id,
        pairs_to_show.from_stage_id,
        pairs_to_show.to_stage_id,
        coalesce(cohort_pairs.completed_closed + cohort_pairs.completed_open, 0) as completed,
        cohort_journeys.dated_closed
        - coalesce(cohort_pairs.completed_closed + cohort_pairs.undated_closed, 0) as competing,
        cohort_journeys.dated_open
        - coalesce(cohort_pairs.completed_open + cohort_pairs.undated_open, 0) as censored,
        cohort_journeys.undated
        + coalesce(cohort_pairs.undated_closed + cohort_pairs.undated_open, 0) as undated,
        null as dated_visits,
        coalesce(cohort_pairs.mature_completed, 0) as mature_completed,
        cohort_pairs.microseconds,
        cohort_pairs.mature_microseconds,
        cohort_journeys.won,
        cohort_journeys.closed,
        cohort_journeys.mature_journeys,
        cohort_journeys.mature_won,
    from pairs_to_show
    inner join cohort_journeys
        on
            pairs_to_show.cohort_segment_id = cohort_journeys.cohort_segment_id
            and pairs_to_show.from_stage_id = cohort_journeys.from_stage_id
    left join cohort_pairs
        on
            pairs_to_show.cohort_segment_id = cohort_pairs.cohort_segment_id
            and pairs_to_show.from_stage_id = cohort_pairs.from_stage_id
            and pairs_to_show.to_stage_id = cohort_pairs.to_stage_id
)

select
    cohort_segments.funnel_id,
    cohort_segments.cohort_grain,
    cohort_segments.cohort_date,
    cohort_segments.segment_name,
    cohort_segments.segment_value,
    cycle_counts.from_stage_id,
    cycle_counts.to_stage_id,
    cohort_segments.segment_adds_up,
    cast(cycle_counts.completed as bigint) as completed,
    cast(cycle_counts.competing as bigint) as competing,
    cast(cycle_counts.censored as bigint) as censored,
    cast(cycle_counts.undated as bigint) as undated,
    {% for percent in percents -%}
        {{ seconds_of('cohort_quantiles.microseconds_p' ~ percent) }} as p{{ percent }},
        {% if percent == 50 -%}
            {{ seconds_of('cohort_quantiles.microseconds_p50_low') }} as p50_low,
            {{ seconds_of('cohort_quantiles.microseconds_p50_high') }} as p50_high,
            {{ is_reportable('cycle_counts.completed') }} as p50_is_reportable,
        {% endif -%}
    {% endfor -%}
    {{ seconds_of('cycle_counts.microseconds') }} / nullif(cycle_counts.completed, 0) as mean,
    cast(cycle_counts.mature_completed as bigint) as mature_completed,
    {% for percent in percents -%}
        {{ seconds_of('cohort_quantiles.mature_microseconds_p' ~ percent) }}
            as mature_p{{ percent }},
        {% if percent == 50 -%}
            {{ seconds_of('cohort_quantiles.mature_microseconds_p50_low') }} as mature_p50_low,
            {{ seconds_of('cohort_quantiles.mature_microseconds_p50_high') }} as mature_p50_high,
            {{ is_reportable('cycle_counts.mature_completed') }} as mature_p50_is_reportable,
        {% endif -%}
    {% endfor -%}
    {{ seconds_of('cycle_counts.mature_microseconds') }}
    / nullif(cycle_counts.mature_completed, 0) as mature_mean,
    cast(coalesce(cycle_counts.dated_visits, arrivals.waits) as bigint) as waits,
    {% for percent in percents -%}
        {% if percent == 50 -%}
            {{ seconds_of(
                'coalesce(stage_survival.survival_p50_microseconds, arrivals.microseconds_p50)'
            ) }} as survival_p50,
            {{ seconds_of('arrivals.microseconds_p50_low') }} as survival_p50_low,
            {{ seconds_of('arrivals.microseconds_p50_high') }} as survival_p50_high,
            {{ is_reportable('coalesce(cycle_counts.dated_visits, arrivals.waits)') }}
                as survival_p50_is_reportable,
        {% else -%}
            {{ seconds_of('arrivals.microseconds_p' ~ percent) }} as survival_p{{ percent }},
        {% endif -%}
    {% endfor -%}
    arrivals.share as corrected_share,
    arrivals.share_low as corrected_share_low,
    arrivals.share_high as corrected_share_high,
    {{ is_reportable('arrivals.waits') }} as corrected_share_is_reportable,
    arrivals.competing_share as corrected_competing_share,
    arrivals.survival as corrected_undecided_share,
    cast(cycle_counts.won as bigint) as won,
    cast(cycle_counts.closed as bigint) as closed,
    {{ rate('cycle_counts.won', 'cycle_counts.closed') }} as won_share,
    {{ wilson_low('cycle_counts.won', 'cycle_counts.closed') }} as won_share_low,
    {{ wilson_high('cycle_counts.won', 'cycle_counts.closed') }} as won_share_high,
    {{ is_reportable('cycle_counts.closed') }} as won_share_is_reportable,
    cast(cycle_counts.mature_journeys as bigint) as mature_journeys,
    cast(cycle_counts.mature_won as bigint) as mature_won,
    {{ rate('cycle_counts.mature_won', 'cycle_counts.mature_journeys') }} as mature_won_share,
    {{ wilson_low('cycle_counts.mature_won', 'cycle_counts.mature_journeys') }}
        as mature_won_share_low,
    {{ wilson_high('cycle_counts.mature_won', 'cycle_counts.mature_journeys') }}
        as mature_won_share_high,
    {{ is_reportable('cycle_counts.mature_journeys') }} as mature_won_share_is_reportable,
    wins.waits as corrected_journeys,
    wins.share as corrected_won_share,
    wins.share_low as corrected_won_share_low,
    wins.share_high as corrected_won_share_high,
    {{ is_reportable('wins.waits') }} as corrected_won_share_is_reportable,
    losses.share as corrected_lost_share,
    losses.share_low as corrected_lost_share_low,
    losses.share_high as corrected_lost_share_high,
    wins.survival as corrected_open_share,
    1 - wins.share as never_won_share,
    1 - wins.share_high as never_won_share_low,
    1 - wins.share_low as never_won_share_high,
    {{ seconds_of('cohort_stays.business_microseconds_p50') }} as business_p50,
    {{ seconds_of('cohort_stays.business_microseconds_p50_low') }} as business_p50_low,
    {{ seconds_of('cohort_stays.business_microseconds_p50_high') }} as business_p50_high,
    {{ is_reportable('cohort_stays.completed') }} as business_p50_is_reportable,
    {{ seconds_of('cohort_stays.business_microseconds') }}
    / nullif(cohort_stays.completed, 0) as business_mean,
    cast(cohort_stays.cumulative_completed as bigint) as cumulative_completed,
    {{ seconds_of('cohort_stays.cumulative_microseconds_p50') }} as cumulative_p50,
    {{ seconds_of('cohort_stays.cumulative_microseconds_p50_low') }} as cumulative_p50_low,
    {{ seconds_of('cohort_stays.cumulative_microseconds_p50_high') }} as cumulative_p50_high,
    {{ is_reportable('cohort_stays.cumulative_completed') }} as cumulative_p50_is_reportable,
    {{ seconds_of('cohort_stays.microseconds') }}
    / nullif(cohort_stays.cumulative_completed, 0) as cumulative_mean,
    cast(cohort_stays.still_there as bigint) as still_there,
    cast(cohort_stays.stalled as bigint) as stalled,
from cycle_counts
inner join cohort_segments on cycle_counts.cohort_segment_id = cohort_segments.cohort_segment_id
left join cohort_quantiles
    on
        cycle_counts.cohort_segment_id = cohort_quantiles.cohort_segment_id
        and cycle_counts.from_stage_id = cohort_quantiles.from_stage_id
        and cycle_counts.to_stage_id = cohort_quantiles.to_stage_id
left join stage_survival
    on
        cycle_counts.cohort_segment_id = stage_survival.cohort_segment_id
        and cycle_counts.from_stage_id = stage_survival.from_stage_id
        and cycle_counts.to_stage_id = stage_survival.to_stage_id
left join arrivals
    on
        cycle_counts.cohort_segment_id = arrivals.cohort_segment_id
        and cycle_counts.from_stage_id = arrivals.from_stage_id
        and cycle_counts.to_stage_id = arrivals.to_stage_id
left join wins
    on
        cycle_counts.cohort_segment_id = wins.cohort_segment_id
        and cycle_counts.from_stage_id = wins.from_stage_id
left join losses
    on
        cycle_counts.cohort_segment_id = losses.cohort_segment_id
        and cycle_counts.from_stage_id = losses.from_stage_id
left join cohort_stays
    on
        cycle_counts.cohort_segment_id = cohort_stays.cohort_segment_id
        and cycle_counts.from_stage_id = cohort_stays.from_stage_id
        and cycle_counts.to_stage_id = cohort_stays.to_stage_id
