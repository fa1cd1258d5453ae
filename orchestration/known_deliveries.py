"""Which deliveries were known on a past date, by `_delivered_at`, and which of their rows.

What is built from them is in `known_on`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from orchestration.database import open_database
from orchestration.declarations import Source
from orchestration.extracts import read_extracts
from orchestration.ledger import open_ledger
from orchestration.settings import Settings
from orchestration.values import literal, quoted


@dataclass(frozen=True)
class Known:
    """What was known on a date, that is to a run up to the midnight that begins it.

    Attributes:
        known_on: the date, in the reporting time zone.
        before: that midnight, UTC.
        deliveries: those that were known: their numbers, ascending, each with a text that is
            another for another delivery.
        by_rows: the same of later deliveries that have rows which were received before: these
            rows alone were known.
    """

    known_on: date
    before: datetime
    deliveries: Mapping[int, str]
    by_rows: Mapping[int, str]


def midnight(day: date, timezone: str) -> datetime:
    """The instant (UTC, without an offset) at which a day begins in a time zone."""
    begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    return begins.astimezone(UTC).replace(tzinfo=None)


def known_on_dates(
    settings: Settings, sources: Sequence[Source], dates: Sequence[date]
) -> dict[date, Known]:
    """What was known on each of the dates.

    - A file with a date in its path was known once that date had begun in the source's time zone.
    - What else the ledger saw coming, also a later version of such a file, was known on the date
      of the run that found it: a run has what it finds, although it starts after midnight.
    - A row that says when it was received was known by that alone; of a path that was not known
      yet the latest version counts.

    Raises:
        LedgerError: a run is loading.
    """
    enabled = {source.source: source for source in sources if source.is_enabled}
    with open_ledger(settings.ledger):
        pass
    with open_database(settings) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(str(settings.ledger))} as ledger (read_only)")
        _date_deliveries(connection, enabled)
        midnights = [
            (day, midnight(day, settings.reporting_timezone), _next(day, settings)) for day in dates
        ]
        _look_for_rows(connection, settings, min((before for _, before, _ in midnights)))
        return {
            day: Known(
                day, before, *(_found(connection, sql, before, ends) for sql in (KNOWN, BY_ROWS))
            )
            for day, before, ends in midnights
        }


# Of a known delivery, both instants are past; `found_at` is null where it decides nothing.
IS_KNOWN = "coalesce(path_day_began_at < $before, true) and coalesce(found_at < $ends, true)"

KNOWN = f"select delivery_number, identity from dated_deliveries where {IS_KNOWN} order by all"

BY_ROWS = f"""
    select dated_deliveries.delivery_number, dated_deliveries.identity
    from dated_deliveries
    join first_rows on first_rows.load_id = dated_deliveries.load_id
    where
        dated_deliveries.is_last_of_path
        and first_rows.received_from < $before
        and dated_deliveries.file not in (select file from dated_deliveries where {IS_KNOWN})
    order by all
"""


def received_at(text: str, timezone: str) -> str:
    """SQL: the UTC instant at which a row was received, as staging reads it; null without one.

    Args:
        text: the delivered text, in SQL.
        timezone: the time zone of a text without an offset, in SQL.
    """
    local = f"try_cast(trim({text}) as timestamp)"
    # Of a time that the clocks showed twice the first: the one with the offset of the day before.
    first = f"(timezone({timezone}, {local} - interval 1 day) + interval 1 day)"
    return f"""timezone('UTC', case
        when regexp_matches(substr(trim({text}), 12), '[-+A-Za-z]')
            then try_cast(trim({text}) as timestamptz)
        when timezone({timezone}, {first}) = {local} then {first}
        else timezone({timezone}, {local})
    end)"""


def _next(day: date, settings: Settings) -> datetime:
    return midnight(day + timedelta(days=1), settings.reporting_timezone)


def _date_deliveries(connection: duckdb.DuckDBPyConnection, sources: Mapping[str, Source]) -> None:
    zones = ", ".join(
        f"({literal(source.source)}, {literal(source.timezone)})" for source in sources.values()
    )
    columns = ", ".join(
        f"({literal(source.source)}, {literal(table)}, {literal(extract.received_at)})"
        for source in sources.values()
        for table, extract in read_extracts(source.system).items()
        if extract.received_at
    )
    connection.execute(
        f"""
        create temp table dated_deliveries as
        with declared_sources (source, timezone) as (
            values {zones or "(null, null)"}
        ),

        declared_columns (source, table_name, received_at) as (
            values {columns or "(null, null, null)"}
        ),

        deliveries as (
            select
                deliveries.delivery_number,
                deliveries.load_id,
                deliveries.file,
                deliveries.found_at,
                sightings.first_seen_at,
                loads.source,
                loads.table_name,
                loads.path_date,
                declared_sources.timezone,
                case
                    when list_contains(loads.columns, declared_columns.received_at)
                        then declared_columns.received_at
                end as received_at,
                row_number() over (
                    partition by deliveries.file order by deliveries.delivery_number
                ) = 1 as is_first_of_path,
                row_number() over (
                    partition by deliveries.file order by deliveries.delivery_number desc
                ) = 1 as is_last_of_path,
            from ledger.deliveries
            join ledger.loads on loads.load_id = deliveries.load_id
            join ledger.sightings on sightings.load_id = deliveries.load_id
            join declared_sources on declared_sources.source = loads.source
            left join declared_columns
                on
                    declared_columns.source = loads.source
                    and declared_columns.table_name = loads.table_name
        )

        select
            delivery_number,
            load_id,
            file,
            source,
            table_name,
            timezone,
            received_at,
            is_last_of_path,
            timezone('UTC', timezone(timezone, cast(path_date as timestamp))) as path_day_began_at,
            case when path_date is null or not is_first_of_path then found_at end as found_at,
            concat_ws(
                ' ',
                load_id,
                case when path_date is null then concat_ws(' ', first_seen_at, found_at) end
            ) as identity,
        from deliveries
        """
    )


def _look_for_rows(
    connection: duckdb.DuckDBPyConnection, settings: Settings, earliest: datetime
) -> None:
    """Find out from when on there are rows in what came after the earliest of the dates."""
    candidates = connection.execute(
        """
        select received_at, source, table_name, load_id
        from dated_deliveries
        where
            received_at is not null
            and is_last_of_path
            and (path_day_began_at >= $earliest or found_at >= $earliest)
        order by all
        """,
        {"earliest": earliest},
    ).fetchall()
    connection.execute("create temp table first_rows (load_id varchar, received_from timestamp)")
    for column, loads in groupby(candidates, key=itemgetter(0)):
        files = ", ".join(
            literal(str(Path(settings.raw, source, table_name, f"{load_id}.parquet")))
            for _, source, table_name, load_id in loads
        )
        received = received_at(f"delivered_rows.{quoted(column)}", "timezones.timezone")
        connection.execute(
            f"""
            insert into first_rows
            with timezones as (
                select distinct load_id, timezone from dated_deliveries
            )

            select timezones.load_id, min({received}),
            from read_parquet(
                [{files}], union_by_name = true, filename = true, hive_partitioning = false
            ) as delivered_rows
            join timezones on timezones.load_id = parse_filename(delivered_rows.filename, true)
            group by timezones.load_id
            """
        )


def _found(
    connection: duckdb.DuckDBPyConnection, sql: str, before: datetime, ends: datetime
) -> dict[int, str]:
    return dict(connection.execute(sql, {"before": before, "ends": ends}).fetchall())
