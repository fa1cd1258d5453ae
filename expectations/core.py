"""What must be true of all journeys and visits together.

Keys, references and the balance of each journey are dbt tests.
"""

from __future__ import annotations

from expectations.rules import EARLIER_NEEDED, ROWS_OF_NOISE, TIMES_OFF, Rule

# A landing that was delivered in one go has a past of instants but none of deliveries: whatever is
# odd in it is history and not a fault of last night.
DELIVERY_DAYS = """
    select count(distinct cast(delivered_at as date)) as delivery_days
    from raw.loads
    where is_current and status = 'loaded'
"""

# Fewer visits than this may all lie outside of any journey, as odd ones out.
VISITS_TO_EXPECT_A_JOURNEY = 20
# Shares of fewer journeys are chance.
JOURNEYS_OF_A_SHARE = 100
NOT_ENOUGH_JOURNEYS = f"anything: {JOURNEYS_OF_A_SHARE} are needed for a share"
# A stage that is busier than this in its slackest week does not fall to a fifth by chance; one that
# is new or rare may grow as it likes.
VISITS_TO_JUDGE_A_STAGE = 50
# Beyond the half, what is left, dated or valued is a minority that the tables would speak of as if
# it were all.
MOST_LEFT_OUT = 0.5


def rules() -> list[Rule]:
    """The rules of the core layer."""
    return [
        _control_total(),
        _journeys(),
        _excluded_share(),
        _undated_share(),
        _unknown_amount_share(),
        _stage_visits(),
    ]


def _control_total() -> Rule:
    return Rule(
        gate="core.control_total",
        table="intermediate.int_control_totals",
        rule="Every row that staging kept is in the core facts or counted where it was left out.",
        measure="rows_unaccounted",
        measures="""
            select
                coalesce(funnel_id || '.', '') || measure as item,
                coalesce(funnel_id, 'all funnels') as funnel,
                measure,
                cast(rows_in as bigint) as rows_in,
                cast(rows_accounted as bigint) as rows_accounted,
                cast(abs(rows_in - rows_accounted) as bigint) as rows_unaccounted,
                0 as lowest,
                0 as highest
            from intermediate.int_control_totals
        """,
        observed="{measure} of {funnel}: {rows_in:,} rows in, {rows_accounted:,} accounted for",
        expected="as many accounted for as came in",
        offending_rows="select * from intermediate.int_control_totals "
        "where measure = {measure} and coalesce(funnel_id, 'all funnels') = {funnel}",
    )


def _journeys() -> Rule:
    return Rule(
        gate="core.journeys",
        table="core.fct_journeys",
        rule="A funnel that subjects enter has journeys.",
        measure="journeys",
        # In a funnel of order, a visit of a later stage alone starts nothing.
        measures=f"""
            with starting_visits as (
                select
                    funnel_id,
                    count(*) as visits
                from core.fct_stage_visits
                inner join core.dim_funnels using (funnel_id)
                where
                    fct_stage_visits.stage_kind <> 'lost'
                    and (stage_position = 1 or order_mode = 'furthest')
                group by funnel_id
            ),

            funnel_journeys as (
                select
                    funnel_id,
                    count(*) as journeys
                from core.fct_journeys
                group by funnel_id
            )

            select
                funnel_id as item,
                coalesce(visits, 0) as visits,
                coalesce(journeys, 0) as journeys,
                case when visits >= {VISITS_TO_EXPECT_A_JOURNEY} then 1 end as lowest,
                cast(null as bigint) as highest
            from core.dim_funnels
            left join starting_visits using (funnel_id)
            left join funnel_journeys using (funnel_id)
        """,
        observed="{journeys:,} journeys from {visits:,} visits that may start one",
        expected="journeys",
        not_judged=f"anything: fewer than {VISITS_TO_EXPECT_A_JOURNEY} visits may start a journey",
        offending_rows="select * from core.fct_stage_visits where funnel_id = {item} "
        "order by subject_id, visit_number",
    )


def _excluded_share() -> Rule:
    return Rule(
        gate="core.excluded_share",
        table="intermediate.int_subject_states",
        rule="The exclusions of a funnel leave most of its subjects in.",
        measure="excluded_share",
        measures=f"""
            select
                funnel_id as item,
                cast(count(*) filter (where subject_state = 'excluded') as double) / count(*)
                    as excluded_share,
                cast(null as double) as lowest,
                case
                    when count(*) >= {JOURNEYS_OF_A_SHARE} then cast({MOST_LEFT_OUT} as double)
                end as highest
            from intermediate.int_subject_states
            where subject_state in ('with_journeys', 'excluded')
            group by funnel_id
        """,
        # In whole percent, so that an accepted share stays accepted from night to night.
        observed="{excluded_share:.0%} of the subjects that could start are excluded",
        expected="at most {highest:.0%}",
        not_judged=NOT_ENOUGH_JOURNEYS,
        offending_rows="select subject_id from intermediate.int_subject_states "
        "where funnel_id = {item} and subject_state = 'excluded' order by subject_id",
    )


def _undated_share() -> Rule:
    return Rule(
        gate="core.undated_share",
        table="core.fct_journeys",
        rule="Where journeys have dates, most do, so that cohorts speak for them.",
        measure="undated_share",
        # Without any date the source has none, and there is no cohort to be misled by.
        measures=f"""
            select
                funnel_id as item,
                cast(count(*) filter (where entered_at is null) as double) / count(*)
                    as undated_share,
                cast(null as double) as lowest,
                case
                    when count(entered_at) > 0 and count(*) >= {JOURNEYS_OF_A_SHARE}
                        then cast({MOST_LEFT_OUT} as double)
                end as highest
            from core.fct_journeys
            group by funnel_id
        """,
        observed="{undated_share:.0%} of all journeys are undated",
        expected="at most {highest:.0%}",
        not_judged=f"{NOT_ENOUGH_JOURNEYS}, some of them dated",
        offending_rows="select * from core.fct_journeys "
        "where funnel_id = {item} and entered_at is null order by subject_id, journey_number",
    )


def _unknown_amount_share() -> Rule:
    return Rule(
        gate="core.unknown_amount_share",
        table="core.fct_journeys",
        rule="Where won journeys have amounts, most do, so that sums of them mean something.",
        measure="unknown_share",
        # Without any amount the source has none, and nothing is summed. With some, the others
        # lack an exchange rate, or a property that was renamed.
        measures=f"""
            select
                funnel_id as item,
                count(*) as won_journeys,
                count(amount) as known_amounts,
                cast(count(*) - count(amount) as double) / count(*) as unknown_share,
                cast(null as double) as lowest,
                case
                    when count(amount) > 0 and count(*) >= {JOURNEYS_OF_A_SHARE}
                        then cast({MOST_LEFT_OUT} as double)
                end as highest
            from core.fct_journeys
            where outcome = 'won'
            group by funnel_id
        """,
        observed="{unknown_share:.0%} of the won journeys have no amount",
        expected="at most {highest:.0%}",
        not_judged=f"{NOT_ENOUGH_JOURNEYS}, some of them with an amount",
        offending_rows="select * from core.fct_journeys where funnel_id = {item} "
        "and outcome = 'won' and amount is null order by subject_id, journey_number",
    )


def _stage_visits() -> Rule:
    return Rule(
        gate="core.stage_visits",
        table="core.fct_stage_visits",
        rule="The last seven days of a stage are about as busy as the eight weeks before.",
        measure="visits",
        # Weeks and not days, so that weekends do not count. This is where a CRM stage that was
        # renamed shows, or a rule that no longer fits: the rows come, and reach no stage.
        measures=f"""
            with weekly_visits as (
                select
                    funnel_id,
                    stage_id,
                    cast(floor(epoch(as_of - entered_at) / 604800) as integer) as weeks_back,
                    count(*) as visits
                from core.fct_stage_visits
                cross join intermediate.int_run
                where entered_at >= as_of - interval {7 * (1 + EARLIER_NEEDED)} day
                group by all
            ),

            funnel_starts as (
                select
                    funnel_id,
                    min(entered_at) <= max(as_of) - interval {7 * (1 + EARLIER_NEEDED)} day
                        as has_history
                from core.fct_stage_visits
                cross join intermediate.int_run
                group by funnel_id
            ),

            weeks as (select unnest(range(1 + {EARLIER_NEEDED})) as weeks_back),

            stage_weeks as (
                select
                    dim_funnel_stages.funnel_id,
                    dim_funnel_stages.stage_id,
                    weeks.weeks_back,
                    coalesce(weekly_visits.visits, 0) as visits
                from core.dim_funnel_stages
                cross join weeks
                left join weekly_visits using (funnel_id, stage_id, weeks_back)
            ),

            compared as (
                select
                    funnel_id,
                    stage_id,
                    max(visits) filter (where weeks_back = 0) as visits,
                    min(visits) filter (where weeks_back > 0) as fewest,
                    max(visits) filter (where weeks_back > 0) as most
                from stage_weeks
                group by all
            ),

            stages_with_history as (
                select
                    compared.*,
                    has_history
                    and delivery_days > {EARLIER_NEEDED}
                    and fewest >= {VISITS_TO_JUDGE_A_STAGE} as is_judged
                from compared
                inner join funnel_starts using (funnel_id)
                cross join ({DELIVERY_DAYS}) as delivery_days
            )

            select
                funnel_id || '.' || stage_id as item,
                funnel_id,
                stage_id,
                visits,
                fewest,
                most,
                case when is_judged then greatest(fewest // {TIMES_OFF} - {ROWS_OF_NOISE}, 0) end
                    as lowest,
                case when is_judged then most * {TIMES_OFF} + {ROWS_OF_NOISE} end as highest
            from stages_with_history
        """,
        observed="{visits:,} visits in the last seven days",
        expected="{lowest:,} to {highest:,}: each of the eight weeks before had "
        "{fewest:,} to {most:,}",
        not_judged=f"anything: more than {EARLIER_NEEDED} days of delivery and eight weeks of at "
        f"least {VISITS_TO_JUDGE_A_STAGE} visits are needed to know what is usual",
        offending_rows="select cast(entered_at as date) as entered_date, count(*) as visits "
        "from core.fct_stage_visits where funnel_id = {funnel_id} and stage_id = {stage_id} "
        "group by all order by entered_date desc",
    )
