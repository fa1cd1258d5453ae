"""What must be true of the deliveries as they lie in raw.

Judged from `raw.loads` alone where that is enough: it is small, and it is there before anything
else is built.
"""

from __future__ import annotations

from datetime import datetime

from expectations.rules import (
    DAYS_JUDGED,
    EARLIER_NEEDED,
    ODD_ROWS,
    ROWS_OF_NOISE,
    TIMES_OFF,
    Rule,
    highest_share,
)
from orchestration.extracts import known_systems, read_extracts

# Twelve weeks hold twelve of each weekday, and the season has not yet turned.
DAYS_OF_HISTORY = 84
# Four days of the same weekday show what is usual on it.
SAME_WEEKDAYS_NEEDED = 4
# Of a day with fewer rows, the share of quarantined ones is chance. The share of all rows counts.
ROWS_OF_A_DAY = 100

ALL_LOADS = "raw.loads where status = 'loaded'"
CURRENT_LOADS = "raw.loads where is_current and status = 'loaded'"


def rules(max_quarantine_share: float, as_of: datetime | None) -> list[Rule]:
    """The rules of the raw layer.

    Args:
        max_quarantine_share: at most this share of the rows of a table may be quarantined.
        as_of: the instant of the run, UTC; None where it follows from the data.
    """
    return [
        _control_total(),
        _quarantined_share(max_quarantine_share),
        _quarantined_share_of_a_day(max_quarantine_share),
        _volume(),
        _freshness(as_of),
        _vanished(),
    ]


def _control_total() -> Rule:
    views = " union all ".join(
        f"""
        select
            _source as source,
            '{table}' as table_name,
            count(*) as rows_in_view
        from raw_{system}.{table}
        group by _source
        """
        for system in known_systems()
        for table in read_extracts(system)
    )
    return Rule(
        gate="raw.control_total",
        table="raw.loads",
        rule="Every row that was read is in the raw view of its table or in quarantine, but for "
        "those about persons who were forgotten.",
        measure="rows_unaccounted",
        measures=f"""
            with rows_in_views as ({views}),

            rows_read as (
                select
                    source,
                    table_name,
                    cast(sum(rows_read) as bigint) as rows_read,
                    cast(sum(rows_suppressed) as bigint) as rows_suppressed
                from raw.loads
                where status = 'loaded'
                group by all
            ),

            rows_quarantined as (
                select
                    quarantined_rows.source,
                    quarantined_rows.table_name,
                    count(*) as rows_quarantined
                from raw.quarantined_rows
                inner join raw.loads on quarantined_rows.load_id = loads.load_id
                where loads.status = 'loaded'
                group by all
            ),

            accounted as (
                select
                    rows_read.*,
                    coalesce(rows_in_view, 0) as rows_in_view,
                    coalesce(rows_quarantined, 0) as rows_quarantined
                from rows_read
                left join rows_in_views using (source, table_name)
                left join rows_quarantined using (source, table_name)
            )

            select
                source || '.' || table_name as item,
                source,
                table_name,
                rows_read,
                rows_in_view,
                rows_quarantined,
                rows_suppressed,
                abs(rows_read - rows_in_view - rows_quarantined - rows_suppressed)
                    as rows_unaccounted,
                0 as lowest,
                0 as highest
            from accounted
        """,
        observed="{rows_read:,} rows read; {rows_in_view:,} in the view, "
        "{rows_quarantined:,} in quarantine and {rows_suppressed:,} suppressed",
        expected="as many in the view, in quarantine and suppressed together as were read",
        offending_rows="select load_id, file, rows_read, rows_loaded, rows_quarantined, "
        "rows_suppressed from raw.loads where source = {source} and table_name = {table_name} "
        "and status = 'loaded' order by file",
    )


def _quarantined_share(max_quarantine_share: float) -> Rule:
    return Rule(
        gate="raw.quarantined_share",
        table="raw.quarantined_rows",
        rule="Few of a table's rows could not be read.",
        measure="quarantined_share",
        measures=f"""
            select
                source || '.' || table_name as item,
                source,
                table_name,
                cast(sum(rows_quarantined) as bigint) as rows_quarantined,
                cast(sum(rows_read) as bigint) as rows_read,
                cast(sum(rows_quarantined) as double) / sum(rows_read) as quarantined_share,
                cast(null as double) as lowest,
                cast({max_quarantine_share!r} as double) as max_share,
                {highest_share(max_quarantine_share, "sum(rows_read)")} as highest
            from {CURRENT_LOADS}
            group by source, table_name
            having sum(rows_read) > 0
        """,
        observed="{quarantined_share:.2%} ({rows_quarantined:,} of {rows_read:,} rows)",
        expected="at most {max_share:.2%} (FUNNEL_MAX_QUARANTINE_SHARE), "
        f"or {ODD_ROWS} rows that are no more than half",
        offending_rows="select file, row_number, column_name, reason, expected, text "
        "from raw.quarantined_rows where source = {source} and table_name = {table_name} "
        "and load_id in (select load_id from raw.loads where is_current) "
        "order by file, row_number",
    )


def _quarantined_share_of_a_day(max_quarantine_share: float) -> Rule:
    return Rule(
        gate="raw.quarantined_share_of_a_day",
        table="raw.quarantined_rows",
        rule="On no day of delivery was much of a table unreadable.",
        measure="days_off",
        # A year of sound days hides a lost one in the share of all rows.
        measures=f"""
            with daily as (
                select
                    source,
                    table_name,
                    cast(delivered_at as date) as delivered_date,
                    sum(rows_quarantined) as rows_quarantined,
                    sum(rows_read) as rows_read,
                    cast(sum(rows_quarantined) as double) / sum(rows_read) as quarantined_share
                from {CURRENT_LOADS}
                group by source, table_name, delivered_date
                having sum(rows_read) >= {ROWS_OF_A_DAY}
                qualify
                    row_number() over (
                        partition by source, table_name order by delivered_date desc
                    ) <= {DAYS_JUDGED}
            ),

            judged as (
                select
                    *,
                    quarantined_share > {max_quarantine_share!r} as is_off,
                    printf('%.2f%% on %s', 100 * quarantined_share, delivered_date) as found
                from daily
            )

            select
                source || '.' || table_name as item,
                source,
                table_name,
                count(*) filter (where is_off) as days_off,
                coalesce(
                    string_agg(found, ', ' order by delivered_date) filter (where is_off),
                    'at most ' || printf('%.2f%%', 100 * max(quarantined_share))
                ) as found,
                cast(min(delivered_date) as varchar) as first_date,
                cast({max_quarantine_share!r} as double) as max_share,
                cast(null as bigint) as lowest,
                0 as highest
            from judged
            group by source, table_name
        """,
        observed="{found} of a day's rows",
        expected="at most {max_share:.2%} (FUNNEL_MAX_QUARANTINE_SHARE) on every day since "
        f"{{first_date}} with at least {ROWS_OF_A_DAY} rows",
        offending_rows="select file, row_number, column_name, reason, expected, text "
        "from raw.quarantined_rows where source = {source} and table_name = {table_name} "
        "and load_id in (select load_id from raw.loads where is_current) "
        "and delivered_at >= {first_date} order by file, row_number",
    )


def _volume() -> Rule:
    return Rule(
        gate="raw.volume",
        table="raw.loads",
        rule="Every delivery of a table is about as large as is usual on its weekday.",
        measure="days_off",
        # Weekdays differ by more than an order of magnitude where business customers are at work,
        # so a day is held against its own kind. Which days those are differs by country, so only
        # the same weekday is its own kind. The median does not mind a few holidays among them.
        measures=f"""
            with daily as (
                select
                    source,
                    table_name,
                    cast(delivered_at as date) as delivered_date,
                    cast(sum(rows_read) as bigint) as rows_read
                from {CURRENT_LOADS}
                group by all
            ),

            latest_days as (
                select * from daily
                qualify
                    row_number() over (
                        partition by source, table_name order by delivered_date desc
                    ) <= {DAYS_JUDGED}
            ),

            days_with_usual as (
                select
                    latest_days.source,
                    latest_days.table_name,
                    latest_days.delivered_date,
                    latest_days.rows_read,
                    count(daily.rows_read) >= {SAME_WEEKDAYS_NEEDED} as is_judged,
                    cast(median(daily.rows_read) as bigint) as usual_rows
                from latest_days
                left join daily
                    on latest_days.source = daily.source
                    and latest_days.table_name = daily.table_name
                    and latest_days.delivered_date > daily.delivered_date
                    and latest_days.delivered_date - daily.delivered_date <= {DAYS_OF_HISTORY}
                    and (latest_days.delivered_date - daily.delivered_date) % 7 = 0
                group by all
            ),

            days_with_bounds as (
                select
                    *,
                    greatest(usual_rows // {TIMES_OFF} - {ROWS_OF_NOISE}, 0) as fewest,
                    usual_rows * {TIMES_OFF} + {ROWS_OF_NOISE} as most,
                    format('{{:,}} rows on {{}}', rows_read, delivered_date) as found
                from days_with_usual
            ),

            judged as (
                select
                    *,
                    is_judged and rows_read not between fewest and most as is_off,
                    format('{{:,}} to {{:,}} rows on {{}}', fewest, most, delivered_date) as allowed
                from days_with_bounds
            )

            select
                source || '.' || table_name as item,
                source,
                table_name,
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
            group by source, table_name
        """,
        observed="{found}",
        expected=f"{{allowed}} (1/{TIMES_OFF} to {TIMES_OFF} times the median of that weekday)",
        not_judged=f"anything: {SAME_WEEKDAYS_NEEDED} earlier deliveries on the same weekday are "
        "needed to know what is usual",
        offending_rows="select cast(delivered_at as date) as delivered_date, file, rows_read, "
        "rows_quarantined from raw.loads where source = {source} and table_name = {table_name} "
        "and is_current and status = 'loaded' order by delivered_date desc, file",
    )


def _freshness(as_of: datetime | None) -> Rule:
    as_of_date = f"date '{as_of:%Y-%m-%d}'" if as_of else "cast(null as date)"
    return Rule(
        gate="raw.freshness",
        table="raw.loads",
        rule="A table that is delivered regularly has not stopped coming.",
        measure="days_behind",
        # A list that is delivered again unchanged is fresh, though only one of its files counts.
        # A landing that was filled once must not fail however old it gets, so the present day
        # only counts where deliveries were found on several days; else the newest delivery of any
        # table does. Twice the longest pause so far, and a day for a late file, lets weekends,
        # holidays and weekly or monthly deliveries pass without a setting for each.
        measures=f"""
            with delivery_days as (
                select distinct
                    source,
                    table_name,
                    cast(delivered_at as date) as delivered_date
                from {ALL_LOADS}
            ),

            pauses as (
                select
                    source,
                    table_name,
                    delivered_date,
                    delivered_date - lag(delivered_date) over (
                        partition by source, table_name order by delivered_date
                    ) as pause_days
                from delivery_days
            ),

            present as (
                select
                    case
                        when count(distinct cast(first_seen_at as date)) >= {EARLIER_NEEDED}
                            then greatest(max(cast(delivered_at as date)), {as_of_date})
                        else max(cast(delivered_at as date))
                    end as present_date
                from {ALL_LOADS}
            )

            select
                source || '.' || table_name as item,
                source,
                table_name,
                cast(max(delivered_date) as varchar) as last_delivered_date,
                cast(max(present_date) as varchar) as present_date,
                count(*) as delivery_days,
                max(pause_days) as longest_pause,
                max(present_date) - max(delivered_date) as days_behind,
                cast(null as bigint) as lowest,
                case
                    when count(*) > {EARLIER_NEEDED} then 2 * max(pause_days) + 1
                end as highest
            from pauses
            cross join present
            group by source, table_name
        """,
        # Without the present day, so that an accepted stop stays accepted on the morrow.
        observed="last delivered on {last_delivered_date}",
        expected="a delivery at most {highest} days before {present_date}, as the longest pause so "
        "far, in days, was {longest_pause}",
        not_judged="anything: {delivery_days} days of delivery, "
        f"more than {EARLIER_NEEDED} are needed to know the rhythm",
        offending_rows="select file, delivered_at, status, refused_reason from raw.loads "
        "where source = {source} and table_name = {table_name} order by delivered_at desc, file",
    )


def _vanished() -> Rule:
    return Rule(
        gate="raw.vanished",
        table="raw.loads",
        rule="A table that was ever loaded still has a file that counts.",
        measure="current_files",
        measures="""
            select
                source || '.' || table_name as item,
                source,
                table_name,
                count(*) as files,
                count(*) filter (where is_current) as current_files,
                1 as lowest,
                cast(null as bigint) as highest
            from raw.loads
            where status = 'loaded'
            group by source, table_name
        """,
        observed="{current_files:,} of {files:,} loaded files count",
        expected="at least one",
        offending_rows="select file, first_seen_at, status, is_current, refused_reason "
        "from raw.loads where source = {source} and table_name = {table_name} "
        "order by first_seen_at desc, file",
    )
