"""What must be true of the marts as a whole, held against the core facts that they came from.

Balance within a mart, rates between 0 and 1 and the like are dbt tests.
"""

from __future__ import annotations

from expectations.core import DELIVERY_DAYS
from expectations.rules import EARLIER_NEEDED, Rule

FUNNEL_MARTS = ("funnel_conversion", "conversion_matrix", "drop_off_points", "cycle_times")
COHORT_GRAINS = ("all", "year", "quarter", "month", "week", "day")

# Half a year of months shows the slack season too. A year at most: an older funnel was another one.
MONTHS_NEEDED = 6
MONTHS_OF_HISTORY = 12
# A month with fewer journeys has no shape.
JOURNEYS_OF_A_MONTH = 100
# Conversion does not halve or double within a month by season or campaign, but by a step that lost
# its tracking or a rule that now means something else.
TIMES_OFF = 2


def rules() -> list[Rule]:
    """The rules of the marts layer."""
    return [
        _empty(),
        _journeys_total(),
        _outcomes_total(),
        _visits_total(),
        _lost_amount_total(),
        _drop_offs_total(),
        _funnel_shape(),
    ]


def _empty() -> Rule:
    counted = " union all ".join(
        f"select '{mart}' as mart, funnel_id, count(*) as mart_rows from marts.{mart} group by all"
        for mart in FUNNEL_MARTS
    )
    marts = ", ".join(f"('{mart}')" for mart in FUNNEL_MARTS)
    return Rule(
        gate="marts.empty",
        table="marts",
        rule="A mart has rows for every funnel with journeys.",
        measure="funnels_missing",
        measures=f"""
            with mart_rows as ({counted}),

            funnels_with_journeys as (select distinct funnel_id from core.fct_journeys),

            marts as (select * from (values {marts}) as named (mart))

            select
                mart as item,
                count(*) as funnels,
                count(*) filter (where mart_rows is null) as funnels_missing,
                coalesce(
                    string_agg(funnel_id, ', ' order by funnel_id)
                        filter (where mart_rows is null),
                    'none'
                ) as missing,
                0 as lowest,
                0 as highest
            from funnels_with_journeys
            cross join marts
            left join mart_rows using (mart, funnel_id)
            group by mart
        """,
        observed="funnels missing: {funnels_missing} of {funnels} ({missing})",
        expected="none missing",
        offending_rows="select funnel_id, count(*) as journeys from core.fct_journeys "
        "group by all order by funnel_id",
    )


def _journeys_total() -> Rule:
    grains = ", ".join(f"('{grain}')" for grain in COHORT_GRAINS)
    return Rule(
        gate="marts.journeys_total",
        table="marts.funnel_conversion",
        rule="In every grain of cohort and every segment the cohorts add up to all journeys.",
        measure="journeys_off",
        # Undated journeys have no cohort but the one of all.
        measures=f"""
            with all_segments as (
                select funnel_id, subject_id, journey_number, 'all' as segment_name
                from core.fct_journeys
                union all
                -- Under a segment that does not add up a journey counts as often as it has values.
                select funnel_id, subject_id, journey_number, segment_name
                from core.fct_journey_segments
            ),

            cohort_grains as (select * from (values {grains}) as named (cohort_grain)),

            facts as (
                select
                    all_segments.funnel_id,
                    segment_name,
                    cohort_grain,
                    count(*) filter (where cohort_grain = 'all' or entered_date is not null)
                        as journeys
                from all_segments
                inner join core.fct_journeys using (funnel_id, subject_id, journey_number)
                cross join cohort_grains
                group by all
            ),

            cohorts as (
                select
                    funnel_id,
                    segment_name,
                    cohort_grain,
                    cast(sum(entered) as bigint) as entered
                from marts.funnel_conversion
                where stage_position = 1
                group by all
            ),

            compared as (
                select
                    coalesce(facts.funnel_id, cohorts.funnel_id) as funnel_id,
                    coalesce(facts.segment_name, cohorts.segment_name) as segment_name,
                    coalesce(facts.cohort_grain, cohorts.cohort_grain) as cohort_grain,
                    coalesce(journeys, 0) as journeys,
                    coalesce(entered, 0) as entered
                from facts
                full outer join cohorts
                    on facts.funnel_id = cohorts.funnel_id
                    and facts.segment_name = cohorts.segment_name
                    and facts.cohort_grain = cohorts.cohort_grain
            )

            select
                funnel_id as item,
                max(journeys) as journeys,
                count(*) filter (where journeys <> entered) as breakdowns_off,
                coalesce(
                    min(
                        segment_name || ' by ' || cohort_grain || ' has ' || entered
                        || ' instead of ' || journeys
                    ) filter (where journeys <> entered),
                    'none'
                ) as example,
                cast(sum(abs(journeys - entered)) as bigint) as journeys_off,
                0 as lowest,
                0 as highest
            from compared
            group by funnel_id
        """,
        observed="breakdowns of {journeys:,} journeys that do not add up: {breakdowns_off} "
        "({example})",
        expected="all add up",
        offending_rows="select segment_name, cohort_grain, sum(entered) as entered "
        "from marts.funnel_conversion where funnel_id = {item} and stage_position = 1 "
        "group by all order by all",
    )


def _outcomes_total() -> Rule:
    return Rule(
        gate="marts.outcomes_total",
        table="marts.drop_off_points",
        rule="Each journey ends, or still is, at exactly one stage with its outcome.",
        measure="journeys_off",
        measures="""
            with facts as (
                select
                    funnel_id,
                    count(*) filter (where outcome = 'won') as won,
                    count(*) filter (where outcome = 'lost') as lost,
                    count(*) filter (where outcome = 'abandoned') as abandoned,
                    count(*) filter (where outcome = 'open') as still_open
                from core.fct_journeys
                group by funnel_id
            ),

            mart as (
                select
                    funnel_id,
                    cast(sum(won) as bigint) as won,
                    cast(sum(lost) as bigint) as lost,
                    cast(sum(abandoned) as bigint) as abandoned,
                    cast(sum(still_open) as bigint) as still_open
                from marts.drop_off_points
                where cohort_grain = 'all' and segment_name = 'all'
                group by funnel_id
            ),

            compared as (
                select
                    funnel_id,
                    facts.won as facts_won,
                    facts.lost as facts_lost,
                    facts.abandoned as facts_abandoned,
                    facts.still_open as facts_open,
                    coalesce(mart.won, 0) as mart_won,
                    coalesce(mart.lost, 0) as mart_lost,
                    coalesce(mart.abandoned, 0) as mart_abandoned,
                    coalesce(mart.still_open, 0) as mart_open
                from facts
                left join mart using (funnel_id)
            )

            select
                funnel_id as item,
                *,
                abs(facts_won - mart_won) + abs(facts_lost - mart_lost)
                    + abs(facts_abandoned - mart_abandoned) + abs(facts_open - mart_open)
                    as journeys_off,
                0 as lowest,
                0 as highest
            from compared
        """,
        observed="won {mart_won:,}, lost {mart_lost:,}, abandoned {mart_abandoned:,}, "
        "open {mart_open:,}",
        expected="won {facts_won:,}, lost {facts_lost:,}, abandoned {facts_abandoned:,}, "
        "open {facts_open:,}",
        offending_rows="select furthest_stage_id, outcome, count(*) as journeys "
        "from core.fct_journeys where funnel_id = {item} group by all order by all",
    )


def _visits_total() -> Rule:
    return Rule(
        gate="marts.visits_total",
        table="marts.conversion_matrix",
        rule="The matrix has one transition out of every visit and one entry for every subject.",
        measure="transitions_off",
        measures="""
            with facts as (
                select
                    funnel_id,
                    count(*) as visits,
                    count(distinct subject_id) as subjects
                from core.fct_stage_visits
                group by funnel_id
            ),

            mart as (
                select
                    funnel_id,
                    cast(sum(transitions) filter (where from_stage_id <> 'entry') as bigint)
                        as transitions,
                    cast(sum(transitions) filter (where from_stage_id = 'entry') as bigint)
                        as entries
                from marts.conversion_matrix
                where cohort_grain = 'all' and segment_name = 'all'
                group by funnel_id
            )

            select
                funnel_id as item,
                visits,
                subjects,
                coalesce(transitions, 0) as transitions,
                coalesce(entries, 0) as entries,
                abs(visits - coalesce(transitions, 0)) + abs(subjects - coalesce(entries, 0))
                    as transitions_off,
                0 as lowest,
                0 as highest
            from facts
            left join mart using (funnel_id)
        """,
        observed="{transitions:,} transitions out of stages and {entries:,} entries",
        expected="{visits:,} transitions out of stages and {subjects:,} entries",
        offending_rows="select from_stage_id, to_stage_id, transitions, visits "
        "from marts.conversion_matrix where funnel_id = {item} and cohort_grain = 'all' "
        "and segment_name = 'all' order by all",
    )


def _lost_amount_total() -> Rule:
    return Rule(
        gate="marts.lost_amount_total",
        table="marts.drop_off_points",
        rule="The amounts lost at the stages add up to those of all journeys lost or abandoned.",
        measure="amount_off",
        measures="""
            with facts as (
                select
                    funnel_id,
                    coalesce(sum(amount) filter (where outcome in ('lost', 'abandoned')), 0)
                        as amount_lost
                from core.fct_journeys
                group by funnel_id
            ),

            mart as (
                select
                    funnel_id,
                    coalesce(sum(amount_lost), 0) as amount_lost
                from marts.drop_off_points
                where cohort_grain = 'all' and segment_name = 'all'
                group by funnel_id
            )

            select
                funnel_id as item,
                facts.amount_lost as facts_amount,
                coalesce(mart.amount_lost, 0) as mart_amount,
                cast(abs(facts.amount_lost - coalesce(mart.amount_lost, 0)) as double)
                    as amount_off,
                0.0 as lowest,
                0.0 as highest
            from facts
            left join mart using (funnel_id)
        """,
        observed="{mart_amount:,} lost",
        expected="{facts_amount:,} lost",
        offending_rows="select furthest_stage_id, sum(amount) as amount from core.fct_journeys "
        "where funnel_id = {item} and outcome in ('lost', 'abandoned') "
        "group by all order by all",
    )


def _drop_offs_total() -> Rule:
    return Rule(
        gate="marts.drop_offs_total",
        table="marts.after_drop_off",
        rule="Whoever was lost or abandoned did one thing next, or nothing.",
        measure="journeys_off",
        # A funnel in which nobody dropped off has no rows, and adds up to 0.
        measures="""
            with facts as (
                select
                    funnel_id,
                    count(*) filter (where outcome in ('lost', 'abandoned')) as dropped
                from core.fct_journeys
                group by funnel_id
            ),

            mart as (
                select
                    funnel_id,
                    cast(sum(journeys) as bigint) as journeys
                from marts.after_drop_off
                where cohort_grain = 'all' and segment_name = 'all'
                group by funnel_id
            )

            select
                funnel_id as item,
                dropped,
                coalesce(journeys, 0) as journeys,
                abs(dropped - coalesce(journeys, 0)) as journeys_off,
                0 as lowest,
                0 as highest
            from facts
            left join mart using (funnel_id)
        """,
        observed="{journeys:,} journeys with what came next",
        expected="{dropped:,} journeys with what came next",
        offending_rows="select stage_id, next_type, next_name, journeys, dropped "
        "from marts.after_drop_off where funnel_id = {item} and cohort_grain = 'all' "
        "and segment_name = 'all' order by all",
    )


def _funnel_shape() -> Rule:
    return Rule(
        gate="marts.funnel_shape",
        table="marts.funnel_conversion",
        rule="The latest finished month of journeys gets about as far as those before.",
        measure="overall_rate",
        # Only mature months: a young one always looks worse than it is. What chance can do to
        # the month's rate is allowed on top, as half of its published interval.
        measures=f"""
            with months as (
                select
                    funnel_id,
                    stage_id,
                    cohort_date,
                    entered,
                    reached,
                    overall_rate,
                    overall_rate_low,
                    overall_rate_high,
                    row_number() over (
                        partition by funnel_id, stage_id order by cohort_date desc
                    ) as months_back
                from marts.funnel_conversion
                cross join intermediate.int_run
                where
                    cohort_grain = 'month'
                    and segment_name = 'all'
                    and is_mature
                    and stage_position > 1
                    and entered >= {JOURNEYS_OF_A_MONTH}
                    and cohort_date + interval 1 month <= as_of
            ),

            usual as (
                select
                    funnel_id,
                    stage_id,
                    count(*) as earlier_months,
                    min(overall_rate) as least,
                    max(overall_rate) as most
                from months
                where months_back between 2 and 1 + {MONTHS_OF_HISTORY}
                group by all
            ),

            compared as (
                select
                    funnel_id,
                    stage_id,
                    cohort_date,
                    entered,
                    reached,
                    overall_rate,
                    overall_rate_low,
                    overall_rate_high,
                    coalesce(earlier_months, 0) as earlier_months,
                    least,
                    most,
                    delivery_days,
                    earlier_months >= {MONTHS_NEEDED} and delivery_days > {EARLIER_NEEDED}
                        as has_history
                from months
                left join usual using (funnel_id, stage_id)
                cross join ({DELIVERY_DAYS}) as delivery_days
                where months_back = 1
            )

            select
                funnel_id || '.' || stage_id as item,
                funnel_id,
                stage_id,
                strftime(cohort_date, '%Y-%m') as cohort_month,
                entered,
                reached,
                overall_rate,
                earlier_months,
                least,
                most,
                case
                    when has_history
                        then greatest(
                            least / {TIMES_OFF} - (overall_rate_high - overall_rate), 0
                        )
                end as lowest,
                case
                    when has_history
                        then least(most * {TIMES_OFF} + (overall_rate - overall_rate_low), 1)
                end as highest
            from compared
        """,
        observed="{overall_rate:.2%} of the journeys of {cohort_month} got there "
        "({reached:,} of {entered:,})",
        expected="{lowest:.2%} to {highest:.2%}: earlier months had {least:.2%} to {most:.2%}",
        not_judged="anything: {earlier_months} earlier finished months, "
        f"{MONTHS_NEEDED} and more than {EARLIER_NEEDED} days of delivery are needed",
        offending_rows="select cohort_date, entered, reached, overall_rate "
        "from marts.funnel_conversion where funnel_id = {funnel_id} and stage_id = {stage_id} "
        "and cohort_grain = 'month' and segment_name = 'all' order by cohort_date desc",
    )
