"""What a delivered text must look like to be read as the type of its column, as SQL for DuckDB.

The texts stay as they are: staging casts them. Here it is only found out which rows it could not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.extracts import Column, Extract

DAY = r"(\d{4}-\d{2}-\d{2}|\d{4}/\d{2}/\d{2})"
CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
OFFSET = r"(Z| UTC|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
TIMESTAMP = rf"{DAY}([T ]{CLOCK}{OFFSET}?)?"
NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
# How `shape_of` is to be read.
SHAPE = "(letters as a, digits as 9)"
NUMBER_WITH_COMMA = r"[+-]?\d[\d. ]*,\d+"


@dataclass(frozen=True)
class TypeCheck:
    """How texts are held against a type. The SQL templates take the column's name as `{text}`.

    Attributes:
        expected: in words, what is accepted.
        shape: whether a text is meant as such a value at all. A column in which none is, was
            retyped.
        reads: whether the text can be cast.
        reason: why not, in snake words.
    """

    expected: str
    shape: str
    reads: str
    reason: str


def _matches(pattern: str) -> str:
    # Braces in a pattern would be taken for the place of the column's name.
    return f"regexp_full_match({{text}}, '{pattern.replace('{', '{{').replace('}', '}}')}')"


def _no_such_day_or(reason: str) -> str:
    return (
        f"case when {_matches(TIMESTAMP)} and try_cast(left({{text}}, 10) as date) is null "
        f"then 'nonexistent_date' else '{reason}' end"
    )


TYPE_CHECKS = {
    "timestamp": TypeCheck(
        expected="a timestamp such as 2024-05-31 17:45:00, 2024-05-31T17:45:00+02:00 or 2024-05-31",
        shape=_matches(TIMESTAMP),
        reads="try_cast({text} as timestamptz) is not null",
        reason=_no_such_day_or("unreadable_timestamp"),
    ),
    "date": TypeCheck(
        expected="a date such as 2024-05-31",
        shape=_matches(TIMESTAMP),
        reads="try_cast({text} as date) is not null",
        reason=_no_such_day_or("unreadable_date"),
    ),
    "decimal": TypeCheck(
        expected="a number such as 1234.56, with at most 14 digits before its point",
        shape=_matches(NUMBER),
        reads="try_cast({text} as decimal(18, 4)) is not null",
        reason=f"case when {_matches(NUMBER_WITH_COMMA)} then 'decimal_comma' "
        "else 'unreadable_number' end",
    ),
    "boolean": TypeCheck(
        expected="true or false",
        shape="try_cast({text} as boolean) is not null",
        reads="true",
        reason="'unreadable_boolean'",
    ),
    "json": TypeCheck(
        expected="a JSON object",
        shape="coalesce(json_type(case when json_valid({text}) then {text} end) = 'OBJECT', false)",
        reads="true",
        reason="'unreadable_json'",
    ),
    "json_array": TypeCheck(
        expected="a JSON array",
        shape="coalesce(json_type(case when json_valid({text}) then {text} end) = 'ARRAY', false)",
        reads="true",
        reason="'unreadable_json'",
    ),
}


def shape_of(text: str) -> str:
    """A text without what it says: letters as `a`, digits as `9`.

    Messages stand in logs, which may show nobody's values; the shape tells what is wrong with them.
    """
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text))


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: Path) -> str:
    """A path as an SQL string, with the signs for patterns taken as they are."""
    signs = {ord("["): "[[]", ord("*"): "[*]", ord("?"): "[?]"}
    return literal(str(path).translate(signs))


def has_shape(column: Column) -> str:
    """SQL: whether the column's text is meant as a value of its type."""
    return TYPE_CHECKS[column.data_type].shape.format(text=quoted(column.name))


def is_refused(extract: Extract, delivered: Sequence[str]) -> str:
    """SQL: whether a row of the delivered columns cannot be accepted."""
    conditions = [condition for condition, _ in _faults(extract, delivered)]
    return f"({' or '.join(conditions) or 'false'})"


def first_fault(extract: Extract, delivered: Sequence[str]) -> str:
    """SQL: struct(column_name, reason, expected, text) of the first fault of a row, or null.

    The text of a missing value is the row as a JSON object.
    """
    cases = " ".join(
        f"when {condition} then {told}" for condition, told in _faults(extract, delivered)
    )
    return f"case {cases} end"


def _faults(extract: Extract, delivered: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of SQL: the condition of a fault, and the struct that tells of it."""
    fields = ", ".join(f"{literal(name)}: {quoted(name)}" for name in delivered)
    row = f"cast(to_json({{{fields}}}) as varchar)"
    faults = []
    for column in extract.columns:
        if column.name in delivered and column.is_required:
            told = _told(column.name, "'missing_value'", "a value", row)
            faults.append((_is_blank(column.name), told))
        if column.name in delivered and column.data_type in TYPE_CHECKS:
            faults.append(_unreadable(column))
    for names in extract.one_of:
        blank = " and ".join(_is_blank(name) for name in names if name in delivered)
        either = " or ".join(names)
        faults.append((f"({blank})", _told(either, "'no_subject'", f"a value in {either}", row)))
    return faults


def _unreadable(column: Column) -> tuple[str, str]:
    check, text = TYPE_CHECKS[column.data_type], quoted(column.name)
    shape, reads, reason = (
        template.format(text=text) for template in (check.shape, check.reads, check.reason)
    )
    condition = f"({text} is not null and not ({shape} and {reads}))"
    return condition, _told(column.name, reason, check.expected, text)


def _is_blank(name: str) -> str:
    return f"coalesce(trim({quoted(name)}), '') = ''"


def _told(column_name: str, reason: str, expected: str, text: str) -> str:
    return (
        f"{{'column_name': {literal(column_name)}, 'reason': {reason}, "
        f"'expected': {literal(expected)}, 'text': {text}}}"
    )
