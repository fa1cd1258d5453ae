"""What a night loads: only what is new, in all formats, and which version of a file counts."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest

from orchestration.ledger import Look
from orchestration.raw import fingerprint
from tests.orchestration.deliveries import (
    CRM,
    EVENTS_HEADER,
    FIRST_NIGHT,
    ONE_EVENT,
    SECOND_NIGHT,
    THIRD_NIGHT,
    Company,
)

VERSION_A = EVENTS_HEADER + "2024-02-01,visit,a\n"
VERSION_B = EVENTS_HEADER + "2024-02-01,visit,b\n2024-02-02,visit,b\n"


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def current_events(company: Company) -> list[tuple[object, ...]]:
    return company.query(
        "select _file, user_id from raw_generic.events where _is_current order by all"
    )


def test_all_formats_give_the_same_rows(company: Company, tmp_path: Path) -> None:
    """A source that changes from CSV to Parquet changes all its numbers."""
    text = (
        "orderId,Ordered At,amount,user_id,note\n"
        'o1,2024-02-01T10:00:00Z,12.5,u1,"a, ""b"""\n'
        "o2,2024-02-02T10:00:00Z,7.0,u2,\n"
    )
    lines = (
        '{"orderId": "o1", "Ordered At": "2024-02-01T10:00:00Z", "amount": 12.5, '
        '"user_id": "u1", "note": "a, \\"b\\""}\n'
        '{"orderId": "o2", "Ordered At": "2024-02-02T10:00:00Z", "amount": 7.0, '
        '"user_id": "u2", "note": ""}\n'
    )
    parquet = tmp_path / "orders.parquet"
    duckdb.execute(
        f"""
        copy (
            select *
            from (
                values
                    ('o1', '2024-02-01T10:00:00Z', 12.5::double, 'u1', 'a, "b"'),
                    ('o2', '2024-02-02T10:00:00Z', 7.0::double, 'u2', '')
            ) as orders ("orderId", "Ordered At", amount, user_id, note)
        ) to '{parquet}'
        """
    )
    files = {
        "crm/orders/1.csv": text.encode(),
        "crm/orders/2.csv.gz": gzip.compress(text.encode()),
        "crm/orders/3.jsonl": lines.encode(),
        "crm/orders/4.jsonl.gz": gzip.compress(lines.encode()),
        "crm/orders/5.parquet": parquet.read_bytes(),
        "crm/orders/6.csv": b"\xef\xbb\xbf" + text.encode(),
        "crm/orders/7.csv": text.replace("\n", "\r\n").encode(),
        "crm/orders/8.CSV": text.removesuffix("\n").encode() + b"\n\n",
    }
    for file, content in files.items():
        company.deliver(file, content)

    summary = company.load()

    assert not summary.errors
    assert company.query(
        """
        select _file, _row, order_id, ordered_at, amount, user_id, currency, _extra
        from raw_generic.orders
        order by all
        """
    ) == [
        (file, *row)
        for file in files
        for row in [
            (1, "o1", "2024-02-01T10:00:00Z", "12.5", "u1", None, '{"note":"a, \\"b\\""}'),
            (2, "o2", "2024-02-02T10:00:00Z", "7.0", "u2", None, None),
        ]
    ]


def test_values_of_parquet_types_become_the_text_that_csv_would_have(
    company: Company, tmp_path: Path
) -> None:
    """An offset, a fraction or a nested value is lost where a file has types of its own."""
    parquet = tmp_path / "events.parquet"
    duckdb.execute("set TimeZone = 'Asia/Tokyo'")
    duckdb.execute(
        f"""
        copy (
            select
                timestamptz '2024-02-01 10:00:00.25+02' as occurred_at,
                'visit' as event_name,
                42::bigint as user_id,
                struct_pack(page := '/', tags := [1, 2]) as properties,
                timestamp_ns '2024-02-01 10:00:00.123456789' as received_at,
                true as is_new,
                1.50::decimal(10, 2) as price,
                date '2024-02-01' as day
        ) to '{parquet}'
        """
    )
    duckdb.execute("reset TimeZone")
    company.deliver("crm/events/a.parquet", parquet.read_bytes())

    company.load()

    assert company.query(
        "select occurred_at, user_id, properties, received_at, _extra from raw_generic.events"
    ) == [
        (
            "2024-02-01 08:00:00.25Z",
            "42",
            '{"page":"/","tags":[1,2]}',
            "2024-02-01 10:00:00.123456",
            '{"day":"2024-02-01","is_new":"true","price":"1.50"}',
        )
    ]


def test_a_header_alone_is_a_delivery_without_rows_and_is_told(company: Company) -> None:
    """A quiet day stops the source, or an export that lost its rows goes unnoticed."""
    company.deliver("crm/events/a.csv", EVENTS_HEADER)

    summary = company.load()

    assert not summary.errors
    assert "crm/events: 1 of 1 new files have no rows, as crm/events/a.csv" in summary.notes
    assert company.query("select status, rows_read, is_current from raw.loads") == [
        ("loaded", 0, True)
    ]
    assert company.query("select count(*) from raw_generic.events") == [(0,)]


def test_a_new_column_is_kept_and_told_once(company: Company) -> None:
    """What a source begins to deliver is thrown away until someone declares it."""
    company.deliver("crm/events/a.csv", ONE_EVENT)
    company.load(FIRST_NIGHT)
    company.deliver(
        "crm/events/b.csv",
        "occurred_at,event_name,user_id,Campaign Name\n2024-02-01,visit,u2,may\n",
    )
    second = company.load(SECOND_NIGHT)
    company.deliver(
        "crm/events/c.csv", "occurred_at,event_name,user_id,campaign_name\n2024-02-01,visit,u3,\n"
    )
    third = company.load(THIRD_NIGHT)

    assert [note for note in second.notes if "crm/events" in note] == [
        "crm/events: new columns campaign_name; they are kept, and can be declared as segments"
    ]
    assert not [note for note in third.notes if "new columns" in note]
    assert company.query("select user_id, _extra from raw_generic.events order by all") == [
        ("u1", None),
        ("u2", '{"campaign_name":"may"}'),
        ("u3", None),
    ]
    assert company.query("select file, new_columns from raw.loads order by file") == [
        ("crm/events/a.csv", None),
        ("crm/events/b.csv", "campaign_name"),
        ("crm/events/c.csv", "campaign_name"),
    ]


def test_an_optional_column_that_is_no_longer_delivered_is_told(company: Company) -> None:
    """Amounts turn null for ever because an export lost a column."""
    company.deliver("crm/records/a.csv", "record_id,amount\nr1,10\n")
    company.load(FIRST_NIGHT)
    company.deliver("crm/records/b.csv", "record_id,stage\nr1,won\n")

    summary = company.load(SECOND_NIGHT)

    assert "crm/records: column amount, delivered before, is not in crm/records/b.csv" in (
        summary.notes
    )


def test_a_column_named_as_one_of_the_loader_does_not_take_its_place(company: Company) -> None:
    """Rows lose their numbers to whatever an export calls `_row`."""
    company.deliver("crm/owners/a.csv", "owner_id,_row,_synced,\no1,77,yes,x\n")

    company.load()

    assert company.query("select _row, _extra from raw_generic.owners") == [
        (1, '{"_synced":"yes","column_4":"x","row":"77"}')
    ]


def test_json_keys_of_any_spelling_are_kept(company: Company) -> None:
    """A key that is no name of a column in SQL refuses the file, or takes the value of another."""
    company.deliver(
        "crm/owners/a.jsonl",
        '{"owner_id": "o1", "a.b": 1, "c\\"d": "two", "": 3, "/~": null, "é": [4, {"x": 5}]}\n',
    )

    summary = company.load()

    assert not summary.errors
    assert company.query("select owner_id, _extra from raw_generic.owners") == [
        ("o1", '{"a_b":"1","c_d":"two","column_1":"3","é":"[4,{\\"x\\":5}]"}')
    ]


def test_only_what_is_new_is_loaded(company: Company) -> None:
    """Every night loads the whole past again."""
    company.deliver("crm/events/a.csv", VERSION_A)
    first = company.load(FIRST_NIGHT)
    company.deliver("crm/events/b.csv", VERSION_B)
    second = company.load(SECOND_NIGHT)
    third = company.load(THIRD_NIGHT)

    assert [[load.file for load in summary.loads] for summary in (first, second, third)] == [
        ["crm/events/a.csv"],
        ["crm/events/b.csv"],
        [],
    ]
    assert [summary.files for summary in (first, second, third)] == [1, 2, 2]
    assert company.query("select file, run_id from raw.loads order by file") == [
        ("crm/events/a.csv", "night of 2024-03-01"),
        ("crm/events/b.csv", "night of 2024-03-02"),
    ]


def test_the_latest_delivery_of_a_path_counts_also_when_it_was_there_before(
    company: Company,
) -> None:
    """After A, B, A the rows of B stay, as A is known already."""
    seen = []
    for night, version in zip(
        (FIRST_NIGHT, SECOND_NIGHT, THIRD_NIGHT), (VERSION_A, VERSION_B, VERSION_A), strict=True
    ):
        company.deliver("crm/events/a.csv", version)
        summary = company.load(night)
        seen.append((len(summary.loads), summary.deliveries, current_events(company)))

    a, b = ("crm/events/a.csv", "a"), ("crm/events/a.csv", "b")
    assert seen == [(1, 1, [a]), (1, 1, [b, b]), (0, 1, [a])]
    assert company.query("select user_id, _is_current from raw_generic.events order by all") == [
        ("a", True),
        ("b", False),
        ("b", False),
    ]
    loads = dict(company.query("select rows_read, load_id from raw.loads"))
    assert company.query("select * from raw.deliveries order by all") == [
        (1, loads[1], FIRST_NIGHT),
        (2, loads[2], SECOND_NIGHT),
        (3, loads[1], THIRD_NIGHT),
    ]


def test_content_that_lies_under_two_paths_counts_once(company: Company) -> None:
    """A file that is copied doubles its rows; removed from one path it is gone from both."""
    company.deliver("crm/events/b.csv", VERSION_A)
    company.deliver("crm/events/c.csv", VERSION_A)
    company.deliver("web/events/a.csv", VERSION_A)
    company.load(FIRST_NIGHT)
    first = current_events(company)
    company.deliver("crm/events/a.csv", VERSION_A)
    company.load(SECOND_NIGHT)
    second = current_events(company)
    company.deliver("crm/events/a.csv", VERSION_B)
    company.load(THIRD_NIGHT)

    assert first == [("crm/events/b.csv", "a"), ("web/events/a.csv", "a")]
    assert second == [("crm/events/a.csv", "a"), ("web/events/a.csv", "a")]
    assert current_events(company) == [
        ("crm/events/a.csv", "b"),
        ("crm/events/a.csv", "b"),
        ("crm/events/b.csv", "a"),
        ("web/events/a.csv", "a"),
    ]


def test_a_file_that_was_taken_away_still_counts(company: Company) -> None:
    """Whoever clears the landing deletes the past."""
    company.deliver("crm/events/a.csv", VERSION_A)
    company.load(FIRST_NIGHT)
    (company.landing / "crm/events/a.csv").unlink()

    summary = company.load(SECOND_NIGHT)

    assert not summary.errors
    assert current_events(company) == [("crm/events/a.csv", "a")]


def test_a_refused_file_is_refused_each_night_until_it_is_replaced(company: Company) -> None:
    """A mistake is told once and then forgotten, or a corrected file is not looked at."""
    company.deliver("crm/events/good.csv", VERSION_A)
    company.deliver("crm/orders/bad.csv", "")
    first = company.load(FIRST_NIGHT)
    second = company.load(SECOND_NIGHT)
    company.deliver("crm/orders/bad.csv", "order_id,ordered_at,amount,user_id\no1,2024-02-01,1,u\n")
    third = company.load(THIRD_NIGHT)

    assert [list(summary.errors) for summary in (first, second, third)] == [["crm"], ["crm"], []]
    assert [summary.deliveries for summary in (first, second, third)] == [0, 0, 2]
    # What was there on the first night was delivered then, although it could not count yet.
    assert company.query(
        "select file, status, is_current, first_seen_at, delivered_at from raw.loads order by all"
    ) == [
        ("crm/events/good.csv", "loaded", True, FIRST_NIGHT, FIRST_NIGHT),
        ("crm/orders/bad.csv", "loaded", True, THIRD_NIGHT, THIRD_NIGHT),
        ("crm/orders/bad.csv", "refused", False, FIRST_NIGHT, FIRST_NIGHT),
    ]
    assert company.query(
        "select delivery_number, delivered_at from raw.deliveries order by all"
    ) == [
        (1, FIRST_NIGHT),
        (2, THIRD_NIGHT),
    ]


def test_a_refused_replacement_leaves_what_it_was_to_replace(company: Company) -> None:
    """A broken second delivery takes the good first one out of the numbers."""
    company.deliver("crm/events/a.csv", VERSION_A)
    company.load(FIRST_NIGHT)
    company.deliver("crm/events/a.csv", "")
    company.deliver("crm/events/b.csv", VERSION_B)

    summary = company.load(SECOND_NIGHT)

    assert list(summary.errors) == ["crm"]
    assert current_events(company) == [("crm/events/a.csv", "a")]


def test_a_file_of_the_same_size_and_time_as_before_is_read_if_it_was_just_written(
    company: Company,
) -> None:
    """A file that is written twice within a tick of the clock keeps its first content for ever."""
    path = company.deliver("crm/events/a.csv", VERSION_A)
    company.load(FIRST_NIGHT)
    times = path.stat()
    company.deliver("crm/events/a.csv", VERSION_A.replace(",a\n", ",c\n"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    company.load(SECOND_NIGHT)

    assert current_events(company) == [("crm/events/a.csv", "c")]


def test_a_look_is_trusted_only_if_nothing_moved_since_long_before_it() -> None:
    """A change that the clock of the file system is too coarse for goes unnoticed."""
    second = 1_000_000_000
    look = Look("crm/events/a.csv", 10, 100 * second, 100 * second, 103 * second, "hash")
    hasty = Look("crm/events/a.csv", 10, 100 * second, 100 * second, 101 * second, "hash")

    assert look.still_holds(10, 100 * second, 100 * second)
    assert not look.still_holds(11, 100 * second, 100 * second)
    assert not look.still_holds(10, 99 * second, 100 * second)
    assert not look.still_holds(10, 100 * second, 102 * second)
    assert not hasty.still_holds(10, 100 * second, 100 * second)


def test_a_date_in_the_path_is_the_day_of_delivery_in_the_sources_time_zone(
    tmp_path: Path,
) -> None:
    """A backfill counts as delivered today, and its days begin at the wrong hour."""
    company = Company(tmp_path, [replace(CRM, timezone="America/New_York")])
    company.deliver("crm/events/events_2024-03-10.csv", ONE_EVENT)
    company.deliver("crm/events/late.csv", VERSION_A)

    company.load(datetime(2024, 4, 1, 2))

    # Clocks went forward on that day, so it had 23 hours.
    assert company.query(
        "select file, delivered_at, plausible_until from raw.loads order by all"
    ) == [
        (
            "crm/events/events_2024-03-10.csv",
            datetime(2024, 3, 10, 5),
            datetime(2024, 3, 12, 4),
        ),
        ("crm/events/late.csv", datetime(2024, 4, 1, 2), datetime(2024, 4, 2, 2)),
    ]
    assert company.query(
        "select distinct _delivered_at, _plausible_until from raw_generic.events order by all"
    )[0] == (datetime(2024, 3, 10, 5), datetime(2024, 3, 12, 4))


def test_an_instant_of_the_run_with_an_offset_is_kept_in_utc(company: Company) -> None:
    """Deliveries of a night are hours apart when the clock of the server is changed."""
    company.deliver("crm/events/a.csv", ONE_EVENT)

    company.load(datetime(2024, 3, 1, 4, tzinfo=timezone(timedelta(hours=2))))

    assert company.query("select first_seen_at from raw.loads") == [(FIRST_NIGHT,)]


def test_the_fingerprint_changes_with_what_was_delivered_and_with_nothing_else(
    company: Company,
) -> None:
    """A night with nothing new publishes the same again, or one with something new does not."""
    prints = []
    for night, version in (
        (FIRST_NIGHT, VERSION_A),
        (SECOND_NIGHT, VERSION_A),
        (THIRD_NIGHT, VERSION_B),
        (THIRD_NIGHT, ""),
        (THIRD_NIGHT, VERSION_A),
    ):
        company.deliver("crm/events/a.csv", version)
        company.load(night)
        prints.append(fingerprint(company.settings, company.sources))
    company.deliver("web/events/a.csv", VERSION_A)
    company.load(THIRD_NIGHT)

    first, repeated, replaced, refused, back = prints
    assert first == repeated
    assert replaced == refused
    assert len({first, replaced, back}) == 3
    assert fingerprint(company.settings, [CRM]) == back
    assert fingerprint(company.settings, company.sources) != back


def test_the_fingerprint_does_not_depend_on_the_order_of_delivery(tmp_path: Path) -> None:
    """The same deliveries in another order look like new ones."""
    prints = []
    for name, order in {"one": ("a", "b"), "other": ("b", "a")}.items():
        company = Company(tmp_path / name)
        for file in order:
            company.deliver(f"crm/events/{file}.csv", VERSION_A + f"2024-02-01,visit,{file}\n")
            company.load()
        prints.append(fingerprint(company.settings, company.sources))

    assert prints[0] == prints[1]


def test_progress_is_told_by_table(company: Company) -> None:
    """A long night says nothing."""
    company.deliver("crm/events/a.csv", VERSION_A)
    company.deliver("crm/events/b.csv", EVENTS_HEADER + "2024-02-01,visit\n2024-02-01,visit,b\n")
    company.deliver("web/events/a.csv", "")
    told: list[str] = []

    company.load(progress=told.append)

    assert told == [
        "crm/events: 2 new files, 2 rows, 1 quarantined",
        "web/events: 1 new file, 0 rows, 0 quarantined, 1 refused",
    ]
