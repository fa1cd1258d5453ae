"""Which texts can be read as a value of their column's type."""

from __future__ import annotations

import duckdb
import pytest

from orchestration.extracts import Column, Extract
from orchestration.values import first_fault, has_shape, is_refused

READABLE = {
    "timestamp": [
        "2024-05-31",
        "2024-05-31 17:45",
        "2024-05-31 17:45:00",
        "2024-05-31T17:45:00",
        "2024-05-31T17:45:00.123456789",
        "2024-05-31T17:45:00Z",
        "2024-05-31 17:45:00+02",
        "2024-05-31T17:45:00.000+0200",
        "2024-05-31T17:45:00-05:30",
        "2024-05-31 17:45:00 UTC",
        "2024/05/31 17:45:00",
        "2024-02-29",
        "1900-01-01",
        "2999-12-31",
    ],
    "date": ["2024-05-31", "2024-05-31T00:00:00Z", "2024-02-29"],
    "decimal": ["0", "-1.5", "+1.5", ".5", "5.", "1e3", "99999999999999.9999"],
    "boolean": ["true", "FALSE", "t", "f", "yes", "no", "1", "0"],
    "json": ["{}", '{"a": {"b": [1]}}'],
    "json_array": ["[]", '[{"a": 1}]'],
}
UNREADABLE = {
    "timestamp": {
        "2024-02-30": "nonexistent_date",
        "2023-02-29 10:00:00": "nonexistent_date",
        "2024-13-01": "nonexistent_date",
        "31.05.2024": "unreadable_timestamp",
        "05/31/2024": "unreadable_timestamp",
        "20240531": "unreadable_timestamp",
        "1717170000": "unreadable_timestamp",
        "2024-05-31 24:00:00": "unreadable_timestamp",
        "2024-05-31 17:60:00": "unreadable_timestamp",
        "2024-05-31T17:45:00+25:00": "unreadable_timestamp",
        "2024-05-31 17:45:00 CEST": "unreadable_timestamp",
        "12024-05-31": "unreadable_timestamp",
        "infinity": "unreadable_timestamp",
        "epoch": "unreadable_timestamp",
        "2024-05-31 (BC)": "unreadable_timestamp",
    },
    "date": {"2024-04-31": "nonexistent_date", "31.05.2024": "unreadable_date"},
    "decimal": {
        "1,5": "decimal_comma",
        "1.234,50": "decimal_comma",
        "1,234.50": "unreadable_number",
        "1_000": "unreadable_number",
        "$5": "unreadable_number",
        "nan": "unreadable_number",
        "inf": "unreadable_number",
        "0x10": "unreadable_number",
        "100000000000000": "unreadable_number",
    },
    "boolean": {"maybe": "unreadable_boolean", "2": "unreadable_boolean"},
    "json": {
        "[]": "unreadable_json",
        "null": "unreadable_json",
        "{a: 1}": "unreadable_json",
        '{"a": 1} and more': "unreadable_json",
    },
    "json_array": {"{}": "unreadable_json", "null": "unreadable_json", "[1": "unreadable_json"},
}


def extract(data_type: str) -> Extract:
    return Extract("things", (Column("value", data_type),))


def ask(question: str, text: str) -> object:
    answer = duckdb.execute(f"select {question} from (select ? as value)", [text]).fetchone()
    assert answer
    return answer[0]


@pytest.mark.parametrize(
    ("data_type", "text"), [(kind, text) for kind, texts in READABLE.items() for text in texts]
)
def test_a_readable_text_is_accepted_and_can_be_cast(data_type: str, text: str) -> None:
    """A row that could be used is set aside, or a cast behind the loader fails."""
    cast_to = {
        "timestamp": "timestamptz",
        "decimal": "decimal(18, 4)",
        "json_array": "json",
    }.get(data_type, data_type)

    assert ask(is_refused(extract(data_type), ["value"]), text) is False
    assert ask(f"cast(value as {cast_to}) is not null", text) is True


@pytest.mark.parametrize(
    ("data_type", "text", "reason"),
    [(kind, text, reason) for kind, texts in UNREADABLE.items() for text, reason in texts.items()],
)
def test_an_unreadable_text_is_refused_with_its_reason(
    data_type: str, text: str, reason: str
) -> None:
    """A text is taken for a value that nobody meant, or its reason leads astray."""
    assert ask(is_refused(extract(data_type), ["value"]), text) is True
    fault = ask(first_fault(extract(data_type), ["value"]), text)
    assert isinstance(fault, dict)
    assert (fault["column_name"], fault["reason"], fault["text"]) == ("value", reason, text)


def test_a_missing_value_of_a_column_that_is_not_required_is_no_fault() -> None:
    """Every optional value would have to be there."""
    answer = duckdb.execute(
        f"select {is_refused(extract('timestamp'), ['value'])} from (select null as value)"
    ).fetchone()

    assert answer == (False,)


def test_a_day_that_does_not_exist_still_has_the_shape_of_a_date() -> None:
    """Columns would count as retyped for a slip in one day."""
    assert ask(has_shape(Column("value", "timestamp")), "2024-02-30") is True
    assert ask(has_shape(Column("value", "timestamp")), "30.02.2024") is False
