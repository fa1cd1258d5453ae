"""Rows that are set aside: with their number, column, reason and text, and none of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.orchestration.deliveries import CRM, EVENTS_HEADER, ONE_EVENT, Company


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path, [CRM])


def accepted_events(company: Company) -> list[tuple[object, ...]]:
    return company.query("select _row, user_id from raw_generic.events order by _row")


def test_a_row_with_an_unreadable_value_is_set_aside_with_file_row_column_and_text(
    company: Company,
) -> None:
    """A bad value becomes null or stops the night, and nobody can find it in the file."""
    company.deliver(
        "crm/records/a.csv",
        "record_id,created_at,amount,is_deleted,expected_close_date\n"
        "r1,2024-02-01,10.50,false,2024-05-31\n"
        "r2,2024-02-30,1,,\n"
        'r3,2024-02-01,"10,50",,\n'
        "r4,2024-02-01,ten,,\n"
        "r5,2024-02-01,1,perhaps,\n"
        "r6,2024-02-01,1,,soon\n"
        "r7,yesterday,1,,\n"
        ",2024-02-01,1,,\n"
        "r9,,,,\n",
    )

    summary = company.load()

    assert not summary.errors
    assert company.quarantine() == [
        ("crm/records/a.csv", 2, "created_at", "nonexistent_date", "2024-02-30"),
        ("crm/records/a.csv", 3, "amount", "decimal_comma", "10,50"),
        ("crm/records/a.csv", 4, "amount", "unreadable_number", "ten"),
        ("crm/records/a.csv", 5, "is_deleted", "unreadable_boolean", "perhaps"),
        ("crm/records/a.csv", 6, "expected_close_date", "unreadable_date", "soon"),
        ("crm/records/a.csv", 7, "created_at", "unreadable_timestamp", "yesterday"),
        (
            "crm/records/a.csv",
            8,
            "record_id",
            "missing_value",
            '{"record_id":null,"created_at":"2024-02-01","amount":"1","is_deleted":null,'
            '"expected_close_date":null}',
        ),
    ]
    assert company.query("select record_id, _row from raw_generic.records order by _row") == [
        ("r1", 1),
        ("r9", 9),
    ]
    assert company.query(
        "select rows_read, rows_loaded, rows_quarantined, status from raw.loads"
    ) == [(9, 2, 7, "loaded")]
    assert company.query(
        "select distinct expected from raw.quarantined_rows where row_number = 3"
    ) == [("a number such as 1234.56, with at most 14 digits before its point",)]


def test_an_event_without_a_subject_is_set_aside(company: Company) -> None:
    """Events of nobody count as those of one visitor."""
    company.deliver(
        "crm/events/a.csv",
        "occurred_at,event_name,user_id,anonymous_id\n"
        "2024-02-01,visit,,a1\n"
        "2024-02-01,visit,u1,\n"
        "2024-02-01,visit,, \n",
    )

    company.load()

    assert company.quarantine() == [
        (
            "crm/events/a.csv",
            3,
            "user_id or anonymous_id",
            "no_subject",
            '{"occurred_at":"2024-02-01","event_name":"visit","user_id":null,"anonymous_id":" "}',
        )
    ]


def test_rows_of_the_wrong_width_are_set_aside_under_their_numbers(company: Company) -> None:
    """A row that was cut off shifts the numbers of all rows behind it, or goes missing."""
    company.deliver(
        "crm/events/a.csv",
        EVENTS_HEADER + "2024-02-01,visit\n"
        "2024-02-01,visit,u2\n"
        "2024-02-01,visit,u3,more,and more\n"
        "2024-02-01\n"
        "2024-02-01,visit,u5\n"
        "2024-02-31,visit,u6\n"
        "2024-02-01,visit,u7\n",
    )

    company.load()

    assert company.quarantine() == [
        ("crm/events/a.csv", 1, "user_id", "too_few_columns", "2024-02-01,visit"),
        (
            "crm/events/a.csv",
            3,
            None,
            "too_many_columns",
            "2024-02-01,visit,u3,more,and more",
        ),
        ("crm/events/a.csv", 4, "event_name", "too_few_columns", "2024-02-01"),
        ("crm/events/a.csv", 6, "occurred_at", "nonexistent_date", "2024-02-31"),
    ]
    assert accepted_events(company) == [(2, "u2"), (5, "u5"), (7, "u7")]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_quoted_line_break_does_not_shift_the_numbers_of_later_rows(
    company: Company, line_end: str
) -> None:
    """The row that quarantine names is not the bad one, as lines were counted and not rows."""
    rows = [
        "occurred_at,event_name,user_id",
        f'2024-02-01,"visit{line_end}of two{line_end}lines",u1',
        "2024-02-01,visit",
        "2024-02-01,visit,u3",
        "2024-02-30,visit,u4",
        '2024-02-01,"say ""hello"", twice",u5',
        "2024-02-01,visit,u6",
    ]
    company.deliver("crm/events/a.csv", line_end.join(rows) + line_end)

    summary = company.load()

    assert not summary.errors
    assert [row[1:4] for row in company.quarantine()] == [
        (2, "user_id", "too_few_columns"),
        (4, "occurred_at", "nonexistent_date"),
    ]
    assert company.query("select _row, event_name from raw_generic.events order by _row") == [
        (1, f"visit{line_end}of two{line_end}lines"),
        (3, "visit"),
        (5, 'say "hello", twice'),
        (6, "visit"),
    ]


def test_a_row_that_is_not_utf_8_is_set_aside(company: Company) -> None:
    """One name in another encoding stops the night, or is published garbled."""
    company.deliver(
        "crm/events/a.csv",
        EVENTS_HEADER.encode() + b"2024-02-01,caf\xe9,u1\n2024-02-01,caf\xc3\xa9,u2\n",
    )

    company.load()

    ((_, row, column, reason, text),) = company.quarantine()
    assert (row, column, reason) == (1, "event_name", "invalid_encoding")
    assert text.startswith("2024-02-01,caf")
    assert company.query("select event_name from raw_generic.events") == [("café",)]


def test_a_misplaced_quote_that_keeps_to_its_row_is_set_aside(company: Company) -> None:
    """One stray quote stops a source although every other row is clear."""
    company.deliver(
        "crm/events/a.csv",
        EVENTS_HEADER + '2024-02-01,"vis"it,u1\n2024-02-01,a 5" pipe,u2\n2024-02-01,visit,u3\n',
    )

    summary = company.load()

    assert not summary.errors
    assert [row[1:] for row in company.quarantine()] == [
        (1, "event_name", "misplaced_quote", '2024-02-01,"vis"it,u1')
    ]
    assert accepted_events(company) == [(2, "u2"), (3, "u3")]


def test_lines_that_are_no_json_object_are_set_aside_under_their_numbers(company: Company) -> None:
    """A line that was cut off becomes a row of nulls, or shifts the numbers of the others."""
    company.deliver(
        "crm/events/a.jsonl",
        b'{"occurred_at": "2024-02-01", "event_name": "visit", "user_id": "u1"}\n'
        b'{"occurred_at": "2024-02-01", "event_na\n'
        b"[1, 2]\n"
        b'{"occurred_at": "2024-02-01", "event_name": "caf\xe9", "user_id": "u4"}\n'
        b"\n"
        b'{"occurred_at": "2024-02-30", "event_name": "visit", "user_id": "u6"}\n'
        b'{"occurred_at": "2024-02-01", "event_name": "", "user_id": "u7"}\n'
        b'{"occurred_at": "2024-02-01", "event_name": "visit", "user_id": 8}',
    )

    company.load()

    assert [row[1:4] for row in company.quarantine()] == [
        (2, None, "malformed_json"),
        (3, None, "not_an_object"),
        (4, None, "invalid_encoding"),
        (6, "occurred_at", "nonexistent_date"),
        (7, "event_name", "missing_value"),
    ]
    assert [row[4] for row in company.quarantine()][:2] == [
        '{"occurred_at": "2024-02-01", "event_na',
        "[1, 2]",
    ]
    assert accepted_events(company) == [(1, "u1"), (8, "8")]
    assert company.query("select rows_read, rows_loaded, rows_quarantined from raw.loads") == [
        (7, 2, 5)
    ]


def test_a_single_row_with_a_day_that_does_not_exist_is_no_retyped_column(company: Company) -> None:
    """A small file with one bad row stops its source as if its column had changed."""
    company.deliver("crm/events/a.csv", EVENTS_HEADER + "2024-02-30,visit,u1\n")

    summary = company.load()

    assert not summary.errors
    assert [row[1:4] for row in company.quarantine()] == [(1, "occurred_at", "nonexistent_date")]


def test_properties_that_are_no_json_object_are_set_aside(company: Company) -> None:
    """Properties that cannot be looked into silently have none of the values asked for."""
    company.deliver(
        "crm/events/a.csv",
        "occurred_at,event_name,user_id,properties\n"
        '2024-02-01,visit,u1,"{""page"": ""/""}"\n'
        "2024-02-01,visit,u2,{page: /}\n"
        "2024-02-01,visit,u3,[]\n"
        "2024-02-01,visit,u4,\n",
    )

    company.load()

    assert [row[1:] for row in company.quarantine()] == [
        (2, "properties", "unreadable_json", "{page: /}"),
        (3, "properties", "unreadable_json", "[]"),
    ]
    assert company.query("select properties from raw_generic.events order by _row") == [
        ('{"page": "/"}',),
        (None,),
    ]


def test_rejects_of_one_file_are_not_told_of_the_next(company: Company) -> None:
    """Bad rows are counted again in every file that is read after theirs."""
    company.deliver("crm/events/a.csv", EVENTS_HEADER + "2024-02-01,visit\n2024-02-01,visit,u1\n")
    company.deliver("crm/events/b.csv", ONE_EVENT)
    company.deliver(
        "crm/events/c.jsonl",
        '{"occurred_at": "2024-02-01", "event_name": "v",\n'
        '{"occurred_at": "2024-02-01", "event_name": "visit", "user_id": "u1"}\n',
    )
    company.deliver("crm/events/d.csv", EVENTS_HEADER + "2024-02-01,visit,u1\n2024-02-01,visit\n")

    company.load()

    assert [row[:2] for row in company.quarantine()] == [
        ("crm/events/a.csv", 1),
        ("crm/events/c.jsonl", 1),
        ("crm/events/d.csv", 2),
    ]
