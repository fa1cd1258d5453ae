"""Reads what a company declares (the seeds), refuses mistakes by name, and completes it for dbt.

What the tables may hold is in `declaration_tables`, what must hold between them in
`declaration_rules`.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from orchestration.declaration_rules import RULES
from orchestration.declaration_tables import (
    TABLES,
    VERBATIM_COLUMNS,
    Mistake,
    Refusal,
    Row,
    Table,
)
from orchestration.extracts import GENERIC, known_systems

# Descriptions and tests of the tables are the project's, wherever a company keeps its declarations.
SHIPPED = Path(__file__).resolve().parent.parent / "seeds"
DESCRIPTIONS = SHIPPED / "_seeds.yml"


class DeclarationError(ValueError):
    """The declarations cannot be used. The message lists every mistake, `mistakes` holds them."""

    def __init__(self, folder: Path, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        lines = [f"{count} in the declarations in {folder}; nothing was built:"]
        super().__init__("\n".join([*lines, *(f"  {mistake}" for mistake in mistakes)]))


@dataclass(frozen=True)
class Source:
    """A declared source: a folder of the landing, whose extracts are in it, and their times."""

    source: str
    is_enabled: bool
    system: str
    timezone: str
    event_time: str


# Without sources.csv there is one source, the generic extracts.
GENERIC_SOURCE = Source(
    GENERIC, is_enabled=True, system=GENERIC, timezone="UTC", event_time="occurred"
)

# Without working_hours.csv the company works from Monday to Friday, from nine to five.
USUAL_HOURS = tuple(
    Row(0, {"weekday": str(weekday), "opens_at": "09:00", "closes_at": "17:00"})
    for weekday in range(1, 6)
)

# Up to how many others an identifier ties, unless identity_limits.csv says otherwise. Whose the
# anonymous events of a shared device are cannot be told. People change their address and sign up
# anew a few times; what ties more is a shared login, or a placeholder that a form was filled with.
USUAL_LIMITS = {
    ("anonymous_id", "user_id"): "1",
    ("anonymous_id", "email"): "1",
    ("user_id", "anonymous_id"): "1000",
    ("user_id", "email"): "5",
    ("user_id", "contact_id"): "5",
    ("email", "anonymous_id"): "20",
    ("email", "user_id"): "3",
    ("email", "contact_id"): "3",
    ("email", "record_id"): "",
}

# Addresses that are read by whoever has the role, unless role_addresses.csv lists others.
USUAL_ROLES = (
    *("abuse", "accounting", "accounts", "admin", "administrator", "billing", "careers"),
    *("contact", "enquiries", "finance", "hello", "help", "helpdesk", "hr", "info", "inquiries"),
    *("invoice", "invoices", "jobs", "mail", "marketing", "no-reply", "noreply", "office"),
    *("orders", "postmaster", "press", "privacy", "procurement", "purchasing", "reception"),
    *("root", "sales", "security", "service", "support", "team", "webmaster"),
)


@dataclass(frozen=True)
class Declarations:
    """All declaration tables, checked and completed: every table, every column, every default."""

    tables: Mapping[str, tuple[Row, ...]]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The declared sources, in the order of their names."""
        declared = (
            Source(
                source=row["source"],
                is_enabled=row["is_enabled"] == "true",
                system=row["system"],
                timezone=row["timezone"],
                event_time=row["event_time"],
            )
            for row in self.tables["sources"]
        )
        return tuple(sorted(declared, key=lambda source: source.source))

    def as_csv(self, table: Table) -> str:
        """The text of one table's file, as `write` leaves it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(table.column_names)
        for row in self.tables[table.name]:
            writer.writerow([row[column] for column in table.column_names])
        return text.getvalue()


def read(folder: Path) -> Declarations:
    """Read and check the declaration tables in `folder`.

    A table whose file is missing is empty, but for funnels, their stages and rules; without
    sources.csv the one source is `generic`, without working_hours.csv the hours are the usual
    ones, and so are the limits that identity_limits.csv leaves out, the roles without
    role_addresses.csv and the channels without channel_rules.csv. Optional columns that are
    missing or empty take the defaults of `declaration_tables.TABLES`.

    Raises:
        DeclarationError: listing every mistake with file, line, column, what was expected, what
            was found and what to do.
    """
    if not folder.is_dir():
        raise DeclarationError(
            folder,
            [
                Mistake(
                    str(folder),
                    0,
                    "",
                    "a folder of declaration tables",
                    "none",
                    "Point FUNNEL_SEEDS to the folder that holds funnels.csv.",
                )
            ],
        )
    mistakes = _unknown_files(folder)
    tables: dict[str, tuple[Row, ...]] = {}
    for table in TABLES:
        rows, found = _read_table(folder / table.file, table)
        mistakes += found
        if rows is not None:
            tables[table.name] = rows
    # A table that cannot be read would be reported once more by each row that refers to it.
    if len(tables) == len(TABLES):
        tables = _completed(tables)
        mistaken = {(mistake.file, mistake.line) for mistake in mistakes}
        mistakes += [
            mistake
            for rule in RULES
            for mistake in rule(tables)
            if (mistake.file, mistake.line) not in mistaken
        ]
    if mistakes:
        raise DeclarationError(folder, sorted(mistakes, key=_place))
    return Declarations(tables)


def write(declarations: Declarations, folder: Path) -> None:
    """Write what dbt reads to `folder`: every table with all its columns, and what describes them.

    A file that is right already is left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / DESCRIPTIONS.name, DESCRIPTIONS.read_text(encoding="utf-8"))
    for table in TABLES:
        _replace(folder / table.file, declarations.as_csv(table))


def write_empty(folder: Path) -> None:
    """Write the header of every table that `folder` lacks, so that dbt can parse the project."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / DESCRIPTIONS.name, DESCRIPTIONS.read_text(encoding="utf-8"))
    empty = Declarations({table.name: () for table in TABLES})
    for table in TABLES:
        if not (folder / table.file).exists():
            _replace(folder / table.file, empty.as_csv(table))


def _replace(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="")
    os.replace(unfinished, path)


def _place(mistake: Mistake) -> tuple[str, int]:
    return mistake.file, mistake.line


def _unknown_files(folder: Path) -> list[Mistake]:
    known = [table.file for table in TABLES]
    return [
        Mistake(
            path.name,
            0,
            "",
            f"no other tables than {', '.join(known)}",
            "this file",
            _did_you_mean(path.name, known) or "Rename it, or move it out of the folder.",
        )
        for path in sorted(folder.glob("*.csv"))
        if path.name not in known
    ]


def _read_table(path: Path, table: Table) -> tuple[tuple[Row, ...] | None, list[Mistake]]:
    """The rows of one file, None if it cannot be read, and its mistakes.

    A row that has a mistake is among the rows, its bad cells empty.
    """

    def mistake(line: int, column: str, expected: str, found: str, remedy: str) -> Mistake:
        return Mistake(table.file, line, column, expected, found, remedy)

    if not path.exists():
        if table.is_required:
            remedy = "Write it, or point FUNNEL_SEEDS to the folder that holds it."
            return None, [mistake(0, "", "this table", "no such file", remedy)]
        return (), []
    try:
        # utf-8-sig: spreadsheets put a byte-order mark at the start.
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        return None, [mistake(line, "", "text in UTF-8", "other bytes", "Save the file as UTF-8.")]

    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        mistakes = _header_mistakes(header, table)
        if mistakes:
            return None, mistakes
        rows = []
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                row, found = _read_row(line, cells, header, table)
                mistakes += found
                rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        remedy = f"Look for a quote that is not closed: {error}."
        return None, [
            mistake(reader.line_num, "", "comma separated values", "something else", remedy)
        ]
    if table.is_required and not rows:
        mistakes.append(mistake(1, "", "at least one row", "none", "Declare a funnel."))
    return tuple(rows), mistakes + _repeated_keys(rows, table)


def _header_mistakes(header: list[str], table: Table) -> list[Mistake]:
    names = table.column_names
    mistakes = []
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            expected = "each column once"
            remedy = "Remove one of the columns."
            mistakes.append(Mistake(table.file, 1, name, expected, "it twice", remedy))
        elif name not in names:
            expected = f"no other columns than {', '.join(names)}"
            remedy = _did_you_mean(name, names) or "Rename or remove the column."
            mistakes.append(Mistake(table.file, 1, name, expected, "this column", remedy))
    for column in table.columns:
        if column.is_required and column.name not in header:
            found = f"the columns {', '.join(header)}" if header else "an empty file"
            remedy = "Add the column; columns are separated by commas."
            mistakes.append(Mistake(table.file, 1, column.name, "this column", found, remedy))
    return mistakes


def _read_row(
    line: int, cells: list[str], header: list[str], table: Table
) -> tuple[Row, list[Mistake]]:
    mistakes = []
    if len(cells) != len(header):
        remedy = "Check the commas; a text that holds one must be quoted."
        expected = f"{len(header)} cells, as in the header"
        mistakes.append(Mistake(table.file, line, "", expected, str(len(cells)), remedy))
    given = dict(zip(header, cells, strict=False))
    values = {}
    for column in table.columns:
        cell = given.get(column.name, "")
        if column.name not in VERBATIM_COLUMNS or not cell.strip():
            cell = cell.strip()
        values[column.name] = cell or column.default
        if not cell:
            if column.is_required and len(cells) == len(header):
                remedy = "Fill the cell, or remove the row."
                expected = "a value in every row"
                mistakes.append(Mistake(table.file, line, column.name, expected, "none", remedy))
            continue
        value = column.read(cell)
        if isinstance(value, Refusal):
            values[column.name] = ""
            mistakes.append(
                Mistake(table.file, line, column.name, value.expected, repr(cell), value.remedy)
            )
        else:
            values[column.name] = value
    return Row(line, values), mistakes


def _repeated_keys(rows: list[Row], table: Table) -> list[Mistake]:
    first_line: dict[tuple[str, ...], int] = {}
    required = {column.name for column in table.columns if column.is_required}
    mistakes = []
    for row in rows:
        key = tuple(row[column] for column in table.key)
        # What is required and empty is a mistake already; what may be empty is a value.
        if not key or not all(row[column] for column in table.key if column in required):
            continue
        first = first_line.setdefault(key, row.line)
        if first != row.line:
            mistakes.append(
                Mistake(
                    table.file,
                    row.line,
                    table.key[-1],
                    f"each {' and '.join(table.key)} once",
                    f"{', '.join(repr(value) for value in key)} again, first in line {first}",
                    "Rename or remove one of the two.",
                )
            )
    return mistakes


def _completed(tables: dict[str, tuple[Row, ...]]) -> dict[str, tuple[Row, ...]]:
    """The tables with the defaults that are worked out from other columns."""
    generic = {
        "source": GENERIC_SOURCE.source,
        "is_enabled": "true",
        "system": GENERIC_SOURCE.system,
        "timezone": GENERIC_SOURCE.timezone,
        "event_time": GENERIC_SOURCE.event_time,
        "session_gap_minutes": "",
        "order_precedence": "",
    }

    def complete(table: str, row: Row) -> Row:
        cells = dict(row.cells)
        if table == "funnels":
            first = cells["order_mode"] == "furthest" or cells["count_by"] == "journey"
            cells["entry_policy"] = cells["entry_policy"] or ("first" if first else "best")
            cells["funnel_name"] = cells["funnel_name"] or cells["funnel_id"]
        elif table == "funnel_stages":
            cells["stage_name"] = cells["stage_name"] or cells["stage_id"]
            cells["stage_name_zh"] = cells["stage_name_zh"] or cells["stage_name"]
        elif table == "stage_rules" and cells["rule_type"] == "purchase":
            cells["match_value"] = cells["match_value"] or "completed"
        elif table == "sources":
            own = cells["source"] if cells["source"] in known_systems() else GENERIC
            cells["system"] = cells["system"] or own
        elif table == "segments":
            cells["attribute"] = cells["attribute"] or cells["segment_name"]
        return Row(row.line, cells)

    completed = {
        table: tuple(complete(table, row) for row in rows) for table, rows in tables.items()
    }
    completed["sources"] = completed["sources"] or (Row(0, generic),)
    completed["working_hours"] = completed["working_hours"] or USUAL_HOURS
    completed["identity_limits"] = _with_usual_limits(completed["identity_limits"])
    completed["role_addresses"] = completed["role_addresses"] or tuple(
        Row(0, {"local_part": role}) for role in USUAL_ROLES
    )
    completed["channel_rules"] = completed["channel_rules"] or _shipped_rows("channel_rules")
    completed["calendar"] = _with_hours(completed["calendar"], completed["working_hours"])
    return completed


def _shipped_rows(name: str) -> tuple[Row, ...]:
    """The rows of a table as the project ships it."""
    table = next(table for table in TABLES if table.name == name)
    rows, _ = _read_table(SHIPPED / table.file, table)
    return rows or ()


def _with_usual_limits(limits: Sequence[Row]) -> tuple[Row, ...]:
    """The limits with the usual ones of the pairs that are not declared."""
    declared = {(row["identifier_type"], row["tied_type"]) for row in limits}
    usual = (
        Row(0, {"identifier_type": pair[0], "tied_type": pair[1], "max_tied": most})
        for pair, most in USUAL_LIMITS.items()
        if pair not in declared
    )
    return (*limits, *usual)


def _with_hours(calendar: Sequence[Row], working_hours: Sequence[Row]) -> tuple[Row, ...]:
    """The calendar with hours in every row of a working day."""
    by_weekday = {row["weekday"]: row for row in working_hours}
    first = by_weekday[min(by_weekday)]

    def complete(row: Row) -> Row:
        # A date that was refused is empty.
        if row["is_working_day"] != "true" or not row["calendar_date"]:
            return row
        weekday = str(date.fromisoformat(row["calendar_date"]).isoweekday())
        usual = by_weekday.get(weekday, first)
        hours = {column: row[column] or usual[column] for column in ("opens_at", "closes_at")}
        return Row(row.line, {**row.cells, **hours})

    return tuple(complete(row) for row in calendar)


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"Did you mean {close[0]}?" if close else ""
