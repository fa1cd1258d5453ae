"""When the funnel of a past date is built, kept and dropped, and what a release shows of it.

What its rows hold is tested with the semantics.
"""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
import yaml

from orchestration import dbt, known_on
from orchestration.declarations import Source
from orchestration.extracts import read_extracts
from orchestration.known_deliveries import known_on_dates, midnight, received_at
from orchestration.raw_views import create_raw_views
from tests.orchestration.deliveries import Company
from tests.orchestration.nights import (
    EVENTS,
    SMALL_PROJECT,
    Nights,
    failed_step,
    nights,
    parsed,
)

__all__ = ["nights", "parsed"]


def declare(warehouse: Nights, *days: str) -> None:
    text = "".join(f"{day}\n" for day in ("known_on", *days))
    (warehouse.settings.seeds / "known_on_dates.csv").write_text(text)


def deliver(warehouse: Nights, day: str, user: str, **columns: str) -> None:
    """Two events of a user on a day, in a file of that day, with further columns."""
    header, *rows = EVENTS.replace("2026-01-01", day).replace("u1", user).splitlines()
    lines = [",".join([header, *columns]), *(",".join([row, *columns.values()]) for row in rows)]
    warehouse.deliver(f"shop/events/{user}_{day}.csv", "\n".join(lines) + "\n")


def query(warehouse: Nights, sql: str) -> list[tuple[Any, ...]]:
    database = warehouse.settings.published / "current" / "funnel.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def known_journeys(warehouse: Nights) -> dict[str, int]:
    rows = query(warehouse, "select known_on, journeys from funnel_conversion_known_on")
    return {str(day): journeys for day, journeys in rows}


def told(warehouse: Nights) -> list[str]:
    """What the last night said of past dates in the end, without the seconds."""
    lines = warehouse.lines[:]
    warehouse.lines.clear()
    return [
        line.removeprefix("known on     ").partition(" in ")[0]
        for line in lines
        if line.startswith("known on") and not line.endswith("is built")
    ]


def files(warehouse: Nights) -> dict[str, int]:
    """The files of the kept dates, and when each was written."""
    folder = warehouse.settings.home / "known_on"
    return {file.name: file.stat().st_mtime_ns for file in folder.glob("*.parquet")}


def test_a_date_is_built_once_and_kept_when_its_night_has_come(nights: Nights) -> None:
    """Each night would build all past dates again, or show one that has not come yet."""
    deliver(nights, "2026-01-02", "u2")
    declare(nights, "2026-01-02", "2026-01-03")
    nights.run()
    assert told(nights) == ["2026-01-03: later than this night, waits", "2026-01-02: built"]
    assert known_journeys(nights) == {"2026-01-02": 1}
    before = files(nights)

    deliver(nights, "2026-01-03", "u3")
    nights.run()
    assert told(nights) == ["2026-01-02: kept", "2026-01-03: built"]
    assert known_journeys(nights) == {"2026-01-02": 1, "2026-01-03": 2}
    assert before.items() < files(nights).items()


def test_what_a_date_follows_from_builds_it_again(nights: Nights) -> None:
    """The past would be shown by rules, or with rows, that are no longer those of today."""
    deliver(nights, "2026-01-02", "u2")
    declare(nights, "2026-01-02")
    nights.run()
    deliver(nights, "2026-01-01", "u9")
    nights.run()
    assert told(nights) == ["2026-01-02: built", "2026-01-02: built"]
    assert known_journeys(nights) == {"2026-01-02": 2}

    calendar = nights.settings.seeds / "calendar.csv"
    calendar.write_text("calendar_date,is_working_day\n2026-01-01,false\n")
    nights.run()
    assert told(nights) == ["2026-01-02: built"]
    assert len(files(nights)) == 1


def test_rows_count_from_when_they_were_received_whichever_file_brings_them(nights: Nights) -> None:
    """A row would be known before it was received, or not although it was."""
    declare(nights, "2026-01-02")
    deliver(nights, "2026-01-01", "after", received_at="2026-01-02T00:00:00Z")
    deliver(nights, "2026-01-03", "late", received_at="2026-01-03T12:00:00Z")
    nights.run()
    assert known_journeys(nights) == {"2026-01-02": 1}
    deliver(nights, "2026-01-04", "early", received_at="2026-01-01T23:59:59Z")
    nights.run()
    assert told(nights) == ["2026-01-02: built", "2026-01-02: built"]
    assert known_journeys(nights) == {"2026-01-02": 2}


CALLS = "id,event,user_id,timestamp,received_at\n"
PAGE_VIEWS = "event_id,event_name,user_id,collector_tstamp\n"
SCREENS = "root_id,root_tstamp,name\n"


def test_rows_of_the_web_systems_are_known_from_when_they_were_received(tmp_path: Path) -> None:
    """A backfill of them would be known on no date before it, or a late row on one of its file."""
    segment = Source("seg", True, "segment", "UTC", "occurred")
    snowplow = Source("snow", True, "snowplow", "Europe/Berlin", "occurred")
    screens = "com_snowplowanalytics_mobile_screen_1"
    company = Company(tmp_path, (segment, snowplow))
    company.deliver(
        "seg/tracks/2024-02-03.csv",
        CALLS + "early,a,u,2024-02-01,2024-02-01T23:59:59Z\nlate,a,u,2024-02-01,2024-02-02\n",
    )
    company.deliver(
        "seg/event_tables/a/2024-02-01.csv",
        CALLS + "early,a,u,2024-02-01,2024-02-01 23:59:59 UTC\nlate,a,u,2024-02-01,2024-02-02\n",
    )
    # Midnight of UTC is one o'clock in Berlin.
    company.deliver(
        "snow/events/2024-02-03.csv",
        PAGE_VIEWS + "early,a,u,2024-02-02 00:59:59\nlate,a,u,2024-02-02 01:00:00\n",
    )
    company.deliver(
        f"snow/{screens}/2024-02-03.csv",
        SCREENS + "early,2024-02-02 00:59:59,a\nlate,2024-02-02 01:00:00,a\n",
    )
    company.load()

    day = date(2024, 2, 2)
    known = known_on_dates(company.settings, company.sources, [day])[day]
    build = tmp_path / "known.duckdb"
    create_raw_views(company.settings, company.sources, build, known)

    with duckdb.connect(str(build), read_only=True) as connection:
        for table, key in (
            ("raw_segment.tracks", "id"),
            ("raw_segment.event_tables", "id"),
            ("raw_snowplow.events", "event_id"),
            (f"raw_snowplow.{screens}", "root_id"),
        ):
            found = connection.execute(f"select {key} from {table}").fetchall()
            assert found == [("early",)], table


def test_all_that_the_web_systems_receive_says_when() -> None:
    """A fact of an event, such as that it is a robot's, would be known by its file alone."""
    received = {
        f"{system}.{table}": extract.received_at
        for system in ("segment", "snowplow")
        for table, extract in read_extracts(system).items()
        if {"received_at", "collector_tstamp", "root_tstamp"} & {*extract.column_names}
    }
    assert received
    assert [table for table, column in received.items() if column is None] == []


def test_a_night_that_dies_leaves_no_half_of_a_date(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next night would keep half of the rows for ever."""
    deliver(nights, "2026-01-02", "u2")
    declare(nights, "2026-01-02")

    def die(*_: object) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(known_on, "sync", die)
        step, words = failed_step(nights.run())
    assert (step, "the power went" in words) == ("known_on", True)
    assert files(nights) == {}
    told(nights)
    assert nights.run().success
    assert told(nights) == ["2026-01-02: built"]
    assert known_journeys(nights) == {"2026-01-02": 1}


def test_a_model_that_fails_on_the_past_is_named_with_the_date(
    nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is woken would look for the error in the tables of tonight."""
    project = tmp_path / "project"
    shutil.copytree(SMALL_PROJECT, project)
    model = project / "models" / "marts" / "core" / "fct_journeys.sql"
    model.write_text(
        "select user_id as subject_id, case when count(*) over () < 4 "
        "then error('too little') else 1::bigint end as events "
        "from {{ ref('stg_events') }} cross join {{ ref('int_run') }} "
        "qualify row_number() over (partition by user_id) = 1"
    )
    monkeypatch.setattr(dbt, "PROJECT", project)
    deliver(nights, "2026-01-02", "u2")
    declare(nights, "2026-01-02")
    step, words = failed_step(nights.run())
    assert step == "known_on"
    assert "The funnel as known on 2026-01-02" in words
    assert "model.funnel_warehouse.fct_journeys" in words
    assert "too little" in words


def test_the_macro_gives_the_rows_of_a_date_and_refuses_another(nights: Nights) -> None:
    """An analyst who asks for a date that is not kept would take no rows for no journeys.

    A date that is not declared any more is not kept; what nobody asks for would fill the disk.
    """
    deliver(nights, "2026-01-02", "u2")
    declare(nights, "2026-01-02")
    nights.run()
    rows = query(nights, "select known_on, funnel_id, journeys from funnel_known_on('2026-01-02')")
    assert rows == [(date(2026, 1, 2), "web", 1)]
    assert query(nights, "from funnel_known_on(date '2026-01-02')") == rows
    expected = (
        r"funnel_known_on: expected a date that this release keeps \(2026-01-02\), found 2026-01-03"
        r"\. Add the date to known_on_dates.csv"
    )
    for sql in (
        "from funnel_known_on('2026-01-03')",
        "select count(*) from funnel_known_on('2026-01-03')",
    ):
        with pytest.raises(duckdb.InvalidInputException, match=expected):
            query(nights, sql)

    declare(nights)
    nights.run()
    assert files(nights) == {}
    assert query(nights, "from funnel_conversion_known_on") == []
    with pytest.raises(duckdb.InvalidInputException, match=r"\(it keeps none\), found 2026-01-02"):
        query(nights, "from funnel_known_on('2026-01-02')")


def test_columns_are_those_of_the_funnel_and_the_date() -> None:
    """A column that is added to the funnel, and not to the past, could not be compared.

    Give it an anchor in _funnel__models.yml where funnel_conversion has it, and add its alias.
    """
    models = yaml.safe_load((dbt.PROJECT / known_on.CONTRACT).read_text(encoding="utf-8"))["models"]
    columns = {model["name"]: model["columns"] for model in models}
    date_column, *others = columns["funnel_conversion_known_on"]
    assert date_column["name"] == "known_on"
    assert others == columns["funnel_conversion"]


@pytest.mark.parametrize(
    ("text", "timezone", "instant"),
    [
        ("2026-03-10T12:00:00Z", "Europe/Berlin", "2026-03-10T12:00:00"),
        (" 2026-03-10 12:00:00+02:00 ", "UTC", "2026-03-10T10:00:00"),
        ("2026-03-10T12:00:00", "America/New_York", "2026-03-10T16:00:00"),
        ("2026-03-10", "Asia/Tokyo", "2026-03-09T15:00:00"),
        # Clocks that show a time twice: the first counts, as in staging.
        ("2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T00:30:00"),
        ("2025-10-26T03:30:00", "Europe/Berlin", "2025-10-26T02:30:00"),
        ("2025-04-06T01:45:00", "Australia/Lord_Howe", "2025-04-05T14:45:00"),
        ("", "UTC", None),
        (None, "UTC", None),
    ],
)
def test_a_received_at_is_read_as_staging_reads_it(
    text: str | None, timezone: str, instant: str | None
) -> None:
    """A row would be known hours before or after it was received."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        sql = f"select {received_at('$text', '$timezone')}"
        (found,) = connection.execute(sql, {"text": text, "timezone": timezone}).fetchone() or ()
    assert found == (datetime.fromisoformat(instant) if instant else None)


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_a_date_begins_at_its_midnight_in_the_reporting_time_zone(timezone: str) -> None:
    """A run on the date would have known hours more, or less."""
    begins = midnight(date(2026, 3, 29), timezone).replace(tzinfo=ZoneInfo("UTC"))
    assert begins.astimezone(ZoneInfo(timezone)).isoformat()[:19] == "2026-03-29T00:00:00"
