"""What must be true of all that staging made of the deliveries.

Keys, accepted values and references of its rows are dbt tests.
"""

from __future__ import annotations

from expectations.rules import (
    DAYS_JUDGED,
    EARLIER_NEEDED,
    ODD_ROWS,
    TIMES_OFF,
    Rule,
    highest_share,
)

# What is usual is the median of so many deliveries before: long enough for several weekends, short
# enough that a slow change of the product is not a surprise.
DELIVERIES_OF_HISTORY = 28
# A share of fewer events is chance: of a thousand, the share of a tenth is known to two points.
EVENTS_OF_A_DAY = 1000
# An event that comes so often a day falls to a fifth for a reason, not by chance.
EVENTS_TO_JUDGE_A_NAME = 40
# Twenty names are the stages and pages of all funnels that a person looks at. Rarer ones are
# neither missed within a day nor many enough to judge.
NAMES_JUDGED = 20
# Even in the week in which summer time ends, two hours of 169 are ambiguous, and they are night
# hours. A tenth is a declared time zone that is not the source's, or a clock that stands still.
MOST_AMBIGUOUS = 0.1
DAYS_TO_JUDGE_AMBIGUITY = 7
# The share of events without a user moves by campaign and weekday, by a tenth perhaps. A quarter of
# all events more than usual is a log-in that no longer reaches them.
POINTS_WITHOUT_USER = 0.25

DAILY_EVENTS = """
    select
        source,
        cast(delivered_at as date) as delivered_date,
        event_name,
        count(*) as events,
        count(*) filter (where user_id is null) as events_without_user
    from staging.stg_events
    group by all
"""


def rules(max_quarantine_share: float) -> list[Rule]:
    """The rules of the staging layer.

    Args:
        max_quarantine_share: at most this share of the rows of a table may be quarantined.
    """
    return [
        _control_total(),
        _quarantined_share(max_quarantine_share),
        _ambiguous_share(),
        _event_share(),
        _share_without_user(),
    ]


def _control_total() -> Rule:
    return Rule(
        gate="staging.control_total",
        table="staging.stg_row_counts",
        rule="Every delivered row is kept, a repetition or in quarantine.",
        measure="rows_unaccounted",
        measures="""
            select
                source || '.' || table_name as item,
                *,
                abs(
                    rows_delivered - rows_quarantined_at_loading
                    - rows_quarantined_in_staging - rows_repeated - rows_kept
                ) as rows_unaccounted,
                0 as lowest,
                0 as highest
            from staging.stg_row_counts
        """,
        observed="{rows_delivered:,} rows delivered; {rows_kept:,} kept, {rows_repeated:,} "
        "repeated, {rows_quarantined_at_loading:,} quarantined at loading and "
        "{rows_quarantined_in_staging:,} in staging",
        expected="the latter to add up to the rows delivered",
        offending_rows="select * from staging.stg_row_counts "
        "where source = {source} and table_name = {table_name}",
    )


def _quarantined_share(max_quarantine_share: float) -> Rule:
    return Rule(
        gate="staging.quarantined_share",
        table="staging.stg_quarantined_rows",
        rule="Few of a table's rows contradict each other or are of an impossible instant.",
        measure="quarantined_share",
        measures=f"""
            select
                source || '.' || table_name as item,
                *,
                cast(rows_quarantined_in_staging as double) / rows_delivered as quarantined_share,
                cast(null as double) as lowest,
                cast({max_quarantine_share!r} as double) as max_share,
                {highest_share(max_quarantine_share, "rows_delivered")} as highest
            from staging.stg_row_counts
            where rows_delivered > 0
        """,
        observed="{quarantined_share:.2%} ({rows_quarantined_in_staging:,} of "
        "{rows_delivered:,} rows)",
        expected="at most {max_share:.2%} (FUNNEL_MAX_QUARANTINE_SHARE), "
        f"or {ODD_ROWS} rows that are no more than half",
        offending_rows="select source_file, source_row, column_name, reason, expected, text "
        "from staging.stg_quarantined_rows "
        "where source = {source} and table_name = {table_name} order by source_file, source_row",
    )


def _ambiguous_share() -> Rule:
    return Rule(
        gate="staging.ambiguous_time_share",
        table="staging.stg_events",
        rule="Few events are of an hour that the source's clock shows twice.",
        measure="ambiguous_share",
        measures=f"""
            select
                source as item,
                count(*) as events,
                count(*) filter (where is_ambiguous_time) as ambiguous_events,
                cast(count(*) filter (where is_ambiguous_time) as double) / count(*)
                    as ambiguous_share,
                cast(null as double) as lowest,
                case
                    when
                        count(*) >= {EVENTS_OF_A_DAY}
                        and max(occurred_at) - min(occurred_at)
                        >= interval {DAYS_TO_JUDGE_AMBIGUITY} day
                        then cast({MOST_AMBIGUOUS} as double)
                end as highest
            from staging.stg_events
            group by source
        """,
        observed="{ambiguous_share:.2%} ({ambiguous_events:,} of {events:,} events)",
        expected="at most {highest:.0%}",
        not_judged=f"anything: {EVENTS_OF_A_DAY:,} events over {DAYS_TO_JUDGE_AMBIGUITY} days are "
        "needed for a share",
        offending_rows="select occurred_at, event_id, event_name, source_file, source_row "
        "from staging.stg_events where source = {item} and is_ambiguous_time "
        "order by occurred_at, source_file, source_row",
    )


def _event_share() -> Rule:
    return Rule(
        gate="staging.event_share",
        table="staging.stg_events",
        rule="Each frequent event keeps about its usual share of every delivery.",
        measure="days_off",
        # The share and not the count: a quiet weekend or a loud launch moves all events alike,
        # while an event whose tracking broke, was renamed or fires twice moves alone.
        measures=f"""
            with daily_events as ({DAILY_EVENTS}),

            days as (
                select
                    source,
                    delivered_date,
                    cast(sum(events) as bigint) as events_of_day,
                    row_number() over (partition by source order by delivered_date desc)
                        as days_back
                from daily_events
                group by source, delivered_date
                having sum(events) >= {EVENTS_OF_A_DAY}
                qualify days_back <= {DAYS_JUDGED + DELIVERIES_OF_HISTORY}
            ),

            event_names as (
                select
                    source,
                    event_name
                from daily_events
                group by source, event_name
                qualify
                    row_number() over (
                        partition by source order by sum(events) desc, event_name
                    ) <= {NAMES_JUDGED}
            ),

            shares as (
                select
                    source,
                    event_name,
                    days.delivered_date,
                    days_back,
                    coalesce(events, 0) as events,
                    cast(coalesce(events, 0) as double) / events_of_day as event_share
                from days
                inner join event_names using (source)
                left join daily_events using (source, event_name, delivered_date)
            ),

            shares_with_usual as (
                select
                    *,
                    median(event_share) over earlier as usual_share,
                    count(*) over earlier >= {EARLIER_NEEDED}
                        and median(events) over earlier >= {EVENTS_TO_JUDGE_A_NAME} as is_judged
                from shares
                window earlier as (
                    partition by source, event_name
                    order by delivered_date
                    rows between {DELIVERIES_OF_HISTORY} preceding and 1 preceding
                )
            ),

            judged as (
                select
                    *,
                    is_judged and event_share not between usual_share / {TIMES_OFF}
                        and usual_share * {TIMES_OFF} as is_off,
                    printf('%.2f%% on %s', 100 * event_share, delivered_date) as found,
                    printf(
                        '%.2f%% to %.2f%% on %s',
                        100 * usual_share / {TIMES_OFF},
                        least(100, 100 * usual_share * {TIMES_OFF}),
                        delivered_date
                    ) as allowed
                from shares_with_usual
                where days_back <= {DAYS_JUDGED}
            )

            select
                source || '.' || event_name as item,
                source,
                event_name,
                count(*) filter (where is_off) as days_off,
                coalesce(
                    string_agg(found, ', ' order by delivered_date) filter (where is_off),
                    max_by(found, delivered_date)
                ) as found,
                coalesce(
                    string_agg(allowed, ', ' order by delivered_date) filter (where is_off),
                    max_by(allowed, delivered_date) filter (where is_judged)
                ) as allowed,
                cast(null as bigint) as lowest,
                case when bool_or(is_judged) then 0 end as highest
            from judged
            group by source, event_name
        """,
        observed="{event_name}: {found}",
        expected="{allowed}"
        f" (1/{TIMES_OFF} to {TIMES_OFF} times the median of the deliveries before)",
        not_judged=f"anything: {EARLIER_NEEDED} earlier deliveries are needed, and "
        f"{EVENTS_TO_JUDGE_A_NAME} such events on most of them",
        offending_rows="select cast(delivered_at as date) as delivered_date, "
        "count(*) filter (where event_name = {event_name}) as events, count(*) as all_events "
        "from staging.stg_events where source = {source} "
        "group by all order by delivered_date desc",
    )


def _share_without_user() -> Rule:
    return Rule(
        gate="staging.share_without_user",
        table="staging.stg_events",
        rule="About as many events as usual know their user in every delivery.",
        measure="days_off",
        measures=f"""
            with daily_events as ({DAILY_EVENTS}),

            days as (
                select
                    source,
                    delivered_date,
                    cast(sum(events_without_user) as double) / sum(events) as share_without_user,
                    row_number() over (partition by source order by delivered_date desc)
                        as days_back
                from daily_events
                group by source, delivered_date
                having sum(events) >= {EVENTS_OF_A_DAY}
                qualify days_back <= {DAYS_JUDGED + DELIVERIES_OF_HISTORY}
            ),

            days_with_usual as (
                select
                    *,
                    least(1.0, {POINTS_WITHOUT_USER} + median(share_without_user) over earlier)
                        as most,
                    count(*) over earlier >= {EARLIER_NEEDED} as is_judged
                from days
                window earlier as (
                    partition by source
                    order by delivered_date
                    rows between {DELIVERIES_OF_HISTORY} preceding and 1 preceding
                )
            ),

            judged as (
                select
                    *,
                    is_judged and share_without_user > most as is_off,
                    printf('%.2f%% on %s', 100 * share_without_user, delivered_date) as found,
                    printf('%.2f%% on %s', 100 * most, delivered_date) as allowed
                from days_with_usual
                where days_back <= {DAYS_JUDGED}
            )

            select
                source as item,
                count(*) filter (where is_off) as days_off,
                coalesce(
                    string_agg(found, ', ' order by delivered_date) filter (where is_off),
                    max_by(found, delivered_date)
                ) as found,
                coalesce(
                    string_agg(allowed, ', ' order by delivered_date) filter (where is_off),
                    max_by(allowed, delivered_date) filter (where is_judged)
                ) as allowed,
                cast(null as bigint) as lowest,
                case when bool_or(is_judged) then 0 end as highest
            from judged
            group by source
        """,
        observed="{found} of the events have no user",
        expected="at most {allowed}"
        f" ({100 * POINTS_WITHOUT_USER:.0f} points above the median of the deliveries before)",
        not_judged=f"anything: {EARLIER_NEEDED} earlier deliveries of {EVENTS_OF_A_DAY:,} events "
        "are needed to know what is usual",
        offending_rows="select cast(delivered_at as date) as delivered_date, event_name, "
        "count(*) filter (where user_id is null) as events_without_user, count(*) as events "
        "from staging.stg_events where source = {item} "
        "group by all order by delivered_date desc, event_name",
    )
