{%- set percents = [10, 25, 50, 75, 90] -%}
{%- set time_kinds = ['elapsed', 'mature', 'business', 'cumulative'] -%}
{%- set is_of_journey = 'journey_number > 0 and previous_visit_number = 0' -%}
{%- set exit_counts = [
    'visits', 'completed', 'censored', 'mature_completed', 'microseconds', 'mature_microseconds',
    'business_microseconds', 'cumulative_completed', 'still_there', 'stalled', 'journeys', 'won',
    'closed', 'mature_journeys', 'mature_won', 'dated_closed', 'dated_open', 'undated'
] -%}
{%- set pair_counts = [
    'completed_closed', 'completed_open', 'undated_closed', 'undated_open', 'mature_completed',
    'microseconds', 'mature_microseconds'
] -%}

with

stalled_visits as (
    select
        funnel_id,
        subject_id,
        visit_number,
    from {{ ref('open_visits') }}
    where is_stalled
),

cell_visits as (
    select
        cell_visits.cell_id,
        cell_visits.journey_number,
        cell_visits.previous_visit_number,
        cell_visits.stage_id,
        cell_visits.journey_outcome,
        cell_visits.is_mature,
        cell_visits.entered_at,
        cell_visits.microseconds_in_stage,
        cell_visits.microseconds_waiting,
        cell_visits.business_microseconds_in_stage,
        -- Once for each journey.
        case when cell_visits.previous_visit_number = 0 then cell_visits.cumulative_microseconds end
            as cumulative_microseconds,
        cell_visits.next_stage_id = 'still_there' as is_still_there,
        stalled_visits.visit_number is not null as is_stalled,
    from {{ ref('int_cell_visits') }} as cell_visits
    left join stalled_visits
        on
            cell_visits.funnel_id = stalled_visits.funnel_id
            and cell_visits.subject_id = stalled_visits.subject_id
            and cell_visits.visit_number = stalled_visits.visit_number
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

cell_days as (
    select
        cell_id,
        day_cohort_segment_id,
    from {{ ref('int_cell_days') }}
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

day_cohorts as (
    select
        day_cohort_segment_id,
        cohort_segment_id,
    from {{ ref('int_day_cohorts') }}
),

cohort_quantiles as (
    select
        cohort_segment_id,
        time_kind,
        from_stage_id,
        to_stage_id,
        {% for percent in percents -%}
            microseconds_p{{ percent }},
        {% endfor -%}
        microseconds_p50_low,
        microseconds_p50_high,
    from {{ ref('int_cohort_quantiles') }}
),

{% for kind in time_kinds -%}
    {{ kind }}_times as (
        select * from cohort_quantiles
        where time_kind = '{{ kind }}'
    ),

{% endfor -%}
-- What adds up is counted by cell first, then added up to the days, of which there are fewer, and
-- from them to every cohort and segment.
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
        count(*) filter (where is_stalled) as stalled,
        count(*) filter (where {{ is_of_journey }}) as journeys,
        count(*) filter (where {{ is_of_journey }} and journey_outcome = 'won') as won,
        count(*) filter (where {{ is_of_journey }} and journey_outcome != 'open') as closed,
        count(*) filter (where {{ is_of_journey }} and is_mature) as mature_journeys,
        count(*) filter (where {{ is_of_journey }} and is_mature and journey_outcome = 'won')
            as mature_won,
        count(*) filter (
            where {{ is_of_journey }} and entered_at is not null and journey_outcome != 'open'
        ) as dated_closed,
        count(*) filter (
            where {{ is_of_journey }} and entered_at is not null and journey_outcome = 'open'
        ) as dated_open,
        count(*) filter (where {{ is_of_journey }} and entered_at is null) as undated,
    from cell_visits
    group by all
),

day_exits as (
    select
        cell_days.day_cohort_segment_id,
        cell_exits.stage_id,
        {% for count in exit_counts -%}
            sum(cell_exits.{{ count }}) as {{ count }},
        {% endfor -%}
    from cell_exits
    inner join cell_days on cell_exits.cell_id = cell_days.cell_id
    group by all
),

cohort_exits as (
    select
        day_cohorts.cohort_segment_id,
        day_exits.stage_id as from_stage_id,
        {% for count in exit_counts -%}
            sum(day_exits.{{ count }}) as {{ count }},
        {% endfor -%}
    from day_exits
    inner join day_cohorts
        on day_exits.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
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

day_pairs as (
    select
        cell_days.day_cohort_segment_id,
        cell_pairs.from_stage_id,
        cell_pairs.to_stage_id,
        {% for count in pair_counts -%}
            sum(cell_pairs.{{ count }}) as {{ count }},
        {% endfor -%}
    from cell_pairs
    inner join cell_days on cell_pairs.cell_id = cell_days.cell_id
    group by all
),

cohort_pairs as (
    select
        day_cohorts.cohort_segment_id,
        day_pairs.from_stage_id,
        day_pairs.to_stage_id,
        {% for count in pair_counts -%}
            sum(day_pairs.{{ count }}) as {{ count }},
        {% endfor -%}
    from day_pairs
    inner join day_cohorts
        on day_pairs.day_cohort_segment_id = day_cohorts.day_cohort_segment_id
    group by all
),

pairs_to_show as (
    select
        cohort_exits.cohort_segment_id,
        cohort_exits.from_stage_id,
        to_stages.stage_id as to_stage_id,
    from cohort_exits
    inner join cohort_segments
        on cohort_exits.cohort_segment_id = cohort_segments.cohort_segment_id
    inner join ladder as from_stages
        on
            cohort_segments.funnel_id = from_stages.funnel_id
            and cohort_exits.from_stage_id = from_stages.stage_id
    inner join ladder as to_stages
        on
            from_stages.funnel_id = to_stages.funnel_id
            and from_stages.stage_position < to_stages.stage_position
    where cohort_exits.journeys > 0
    union
    select
        cohort_segment_id,
        from_stage_id,
        to_stage_id,
    from cohort_pairs
),

cycle_counts as (
    select
        cohort_segment_id,
        from_stage_id,
        'any_exit' as to_stage_id,
        completed,
        0 as competing,
        censored,
        visits - completed - censored as undated,
        completed + censored as dated_visits,
        mature_completed,
        microseconds,
        mature_microseconds,
        won,
        closed,
        mature_journeys,
        mature_won,
        completed as stays,
        business_microseconds,
        cumulative_completed,
        microseconds as cumulative_microseconds,
        still_there,
        stalled,
    from cohort_exits
    union all
    select
        pairs_to_show.cohort_segment_id,
        pairs_to_show.from_stage_id,
        pairs_to_show.to_stage_id,
        coalesce(cohort_pairs.completed_closed + cohort_pairs.completed_open, 0) as completed,
        cohort_exits.dated_closed
        - coalesce(cohort_pairs.completed_closed + cohort_pairs.undated_closed, 0) as competing,
        cohort_exits.dated_open
        - coalesce(cohort_pairs.completed_open + cohort_pairs.undated_open, 0) as censored,
        cohort_exits.undated
        + coalesce(cohort_pairs.undated_closed + cohort_pairs.undated_open, 0) as undated,
        null as dated_visits,
        coalesce(cohort_pairs.mature_completed, 0) as mature_completed,
        cohort_pairs.microseconds,
        cohort_pairs.mature_microseconds,
        cohort_exits.won,
        cohort_exits.closed,
        cohort_exits.mature_journeys,
        cohort_exits.mature_won,
        null as stays,
        null as business_microseconds,
        null as cumulative_completed,
        null as cumulative_microseconds,
        null as still_there,
        null as stalled,
    from pairs_to_show
    inner join cohort_exits
        on
            pairs_to_show.cohort_segment_id = cohort_exits.cohort_segment_id
            and pairs_to_show.from_stage_id = cohort_exits.from_stage_id
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
        {{ seconds_of('elapsed_times.microseconds_p' ~ percent) }} as p{{ percent }},
        {% if percent == 50 -%}
            {{ seconds_of('elapsed_times.microseconds_p50_low') }} as p50_low,
            {{ seconds_of('elapsed_times.microseconds_p50_high') }} as p50_high,
            {{ is_reportable('cycle_counts.completed') }} as p50_is_reportable,
        {% endif -%}
    {% endfor -%}
    {{ seconds_of('cycle_counts.microseconds') }} / nullif(cycle_counts.completed, 0) as mean,
    cast(cycle_counts.mature_completed as bigint) as mature_completed,
    {% for percent in percents -%}
        {{ seconds_of('mature_times.microseconds_p' ~ percent) }}
            as mature_p{{ percent }},
        {% if percent == 50 -%}
            {{ seconds_of('mature_times.microseconds_p50_low') }} as mature_p50_low,
            {{ seconds_of('mature_times.microseconds_p50_high') }} as mature_p50_high,
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
    {{ seconds_of('business_times.microseconds_p50') }} as business_p50,
    {{ seconds_of('business_times.microseconds_p50_low') }} as business_p50_low,
    {{ seconds_of('business_times.microseconds_p50_high') }} as business_p50_high,
    {{ is_reportable('cycle_counts.stays') }} as business_p50_is_reportable,
    {{ seconds_of('cycle_counts.business_microseconds') }} / nullif(cycle_counts.stays, 0)
        as business_mean,
    cast(cycle_counts.cumulative_completed as bigint) as cumulative_completed,
    {{ seconds_of('cumulative_times.microseconds_p50') }} as cumulative_p50,
    {{ seconds_of('cumulative_times.microseconds_p50_low') }} as cumulative_p50_low,
    {{ seconds_of('cumulative_times.microseconds_p50_high') }} as cumulative_p50_high,
    {{ is_reportable('cycle_counts.cumulative_completed') }} as cumulative_p50_is_reportable,
    {{ seconds_of('cycle_counts.cumulative_microseconds') }}
    / nullif(cycle_counts.cumulative_completed, 0) as cumulative_mean,
    cast(cycle_counts.still_there as bigint) as still_there,
    cast(cycle_counts.stalled as bigint) as stalled,
from cycle_counts
inner join cohort_segments on cycle_counts.cohort_segment_id = cohort_segments.cohort_segment_id
{% for kind in time_kinds -%}
    left join {{ kind }}_times
        on
            cycle_counts.cohort_segment_id = {{ kind }}_times.cohort_segment_id
            and cycle_counts.from_stage_id = {{ kind }}_times.from_stage_id
            and cycle_counts.to_stage_id = {{ kind }}_times.to_stage_id
{% endfor -%}
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
