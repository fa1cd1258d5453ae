"""Tables that drift from one night to the next, for every table that any system declares.

A column that is added, lost, renamed, retyped or moved: no row is lost in silence, and the notes of
the night, or the refusal, say what changed. What drifting names and stages do is tested in staging.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.declarations import Source
from orchestration.extracts import Column, Extract, known_systems, read_extracts
from orchestration.raw import LoadSummary
from orchestration.values import TYPE_CHECKS, quoted
from tests.orchestration.deliveries import FIRST_NIGHT, SECOND_NIGHT, Company

pytestmark = pytest.mark.slow

ROWS = 2
VALUES = {
    "timestamp": "2024-02-01 10:00:00",
    "date": "2024-02-01",
    "decimal": "12.5",
    "boolean": "true",
    "json": '{"a":1}',
    "json_array": "[1]",
}


def value_of(column: Column) -> str:
    """A value of the column's type that, if it is text, no other column has."""
    return VALUES.get(column.data_type, f"of {column.name}")


def whole(extract: Extract) -> dict[str, str]:
    """A row of all declared columns."""
    return {column.name: value_of(column) for column in extract.columns}


def needed(extract: Extract) -> set[str]:
    """The columns that a file must have: the required ones, and the first of each alternative."""
    return {column.name for column in extract.columns if column.is_required} | {
        names[0] for names in extract.one_of
    }


def optional(extract: Extract) -> list[str]:
    return [name for name in extract.column_names if name not in needed(extract)]


def without(row: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in names}


def renamed(row: Mapping[str, str], old: str) -> dict[str, str]:
    return {f"{name}_2" if name == old else name: value for name, value in row.items()}


def text_of(row: Mapping[str, str]) -> str:
    """A CSV file with that row ROWS times."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([list(row), *[list(row.values())] * ROWS])
    return file.getvalue()


@dataclass(frozen=True)
class Drifted:
    """What a second night made of tables that were whole in the first.

    Attributes:
        source: the source of this kind of drift.
        extracts: the tables of its system.
        drifts: of each table the drifted rows, by the name of their file.
    """

    company: Company
    source: str
    extracts: Mapping[str, Extract]
    drifts: Mapping[str, Mapping[str, Mapping[str, str]]]
    summary: LoadSummary

    def view(self, table: str) -> str:
        """The view that dbt reads of a table."""
        return f"raw_{self.company.sources[0].system}.{quoted(table)}"

    def notes(self, table: str) -> list[str]:
        """What the second night noted of a table."""
        head = f"{self.source}/{table}: "
        return [note.removeprefix(head) for note in self.summary.notes if note.startswith(head)]

    def errors(self) -> list[str]:
        """What the second night refused, less the folder of the source."""
        return [str(error) for error in self.summary.errors.get(self.source, ())]


# A night of one kind of drift: of a table the drifted rows by file, from its declaration.
Drift = Callable[[Extract], Mapping[str, Mapping[str, str]]]
Drifting = Callable[[Drift], Drifted]


@pytest.fixture(params=known_systems())
def drifting(request: pytest.FixtureRequest, tmp_path: Path) -> Drifting:
    """Two nights of a system: all of its tables whole, then drifted."""
    system = request.param

    def run(drift: Drift) -> Drifted:
        source = Source("drifting", True, system, "UTC", "occurred")
        company = Company(tmp_path, (source,))
        extracts = read_extracts(system)
        for table, extract in extracts.items():
            company.deliver(f"drifting/{table}/2024-02-01.csv", text_of(whole(extract)))
        assert not company.load(FIRST_NIGHT).errors
        drifts = {table: drift(extract) for table, extract in extracts.items()}
        for table, files in drifts.items():
            for file, row in files.items():
                company.deliver(f"drifting/{table}/2024-02-02_{file}.csv", text_of(row))
        return Drifted(company, source.source, extracts, drifts, company.load(SECOND_NIGHT))

    return run


def test_an_added_column_is_kept_and_noted(drifting: Drifting) -> None:
    """What a system begins to deliver is thrown away, or shifts what it delivered before."""
    drifted = drifting(lambda extract: {"added": {"brand_new": "kept", **whole(extract)}})
    assert not drifted.errors()
    for table, extract in drifted.extracts.items():
        assert drifted.notes(table) == [
            "new columns brand_new; they are kept, and can be declared as segments"
        ]
        first = extract.columns[0]
        assert drifted.company.query(
            f"""
            select {quoted(first.name)}, _extra, count(*)
            from {drifted.view(table)}
            group by all
            order by all
            """
        ) == [
            (value_of(first), '{"brand_new":"kept"}', ROWS),
            (value_of(first), None, ROWS),
        ]


def test_columns_in_another_order_hold_the_same_values(drifting: Drifting) -> None:
    """A table that is read by places has names for amounts."""
    drifted = drifting(lambda extract: {"moved": dict(reversed(whole(extract).items()))})
    assert not drifted.errors()
    for table, extract in drifted.extracts.items():
        assert drifted.notes(table) == [
            f"columns are in another order in drifting/{table}/2024-02-02_moved.csv; they are read "
            "by their names"
        ]
        columns = ", ".join(quoted(name) for name in extract.column_names)
        assert drifted.company.query(
            f"select {columns}, count(*) from {drifted.view(table)} group by all"
        ) == [(*whole(extract).values(), 2 * ROWS)]


def test_lost_columns_that_are_optional_are_noted_and_their_rows_kept(drifting: Drifting) -> None:
    """Amounts turn null for ever, and nobody hears of it."""
    drifted = drifting(lambda extract: {"lost": without(whole(extract), optional(extract))})
    assert not drifted.errors()
    for table, extract in drifted.extracts.items():
        assert drifted.notes(table) == [
            f"column {name}, delivered before, is not in drifting/{table}/2024-02-02_lost.csv"
            for name in optional(extract)
        ]
        counts = ", ".join(f"count({quoted(name)})" for name in extract.column_names)
        assert drifted.company.query(f"select {counts} from {drifted.view(table)}") == [
            tuple(ROWS * (2 if name in needed(extract) else 1) for name in extract.column_names)
        ]


def test_an_optional_column_that_was_renamed_is_noted_with_its_new_name(
    drifting: Drifting,
) -> None:
    """A column is missed, and nobody sees that it is still there."""

    def last_renamed(extract: Extract) -> dict[str, dict[str, str]]:
        names = optional(extract)
        return {"new": renamed(whole(extract), names[-1])} if names else {}

    drifted = drifting(last_renamed)
    assert not drifted.errors()
    tables = [table for table, files in drifted.drifts.items() if files]
    assert tables
    for table in tables:
        old = optional(drifted.extracts[table])[-1]
        assert drifted.notes(table) == [
            f"new columns {old}_2; they are kept, and can be declared as segments",
            f"column {old}, delivered before, is not in drifting/{table}/2024-02-02_new.csv; "
            f"{old}_2 may be its new name",
        ]
        assert drifted.company.query(
            f"select count(*), count(_extra) from {drifted.view(table)}"
        ) == [(2 * ROWS, ROWS)]


def test_a_lost_or_renamed_column_that_is_required_is_refused_by_name(
    drifting: Drifting,
) -> None:
    """Rows without keys or times are taken for rows, or a source stops and nobody knows why."""

    def each_lost_and_renamed(extract: Extract) -> dict[str, dict[str, str]]:
        row = whole(extract)
        required = [(column.name,) for column in extract.columns if column.is_required]
        lost = {f"lost_{names[0]}": without(row, names) for names in [*required, *extract.one_of]}
        return lost | {f"renamed_{name}": renamed(row, name) for (name,) in required}

    drifted = drifting(each_lost_and_renamed)
    expected = []
    for table, files in sorted(drifted.drifts.items()):
        alternatives = {names[0]: " or ".join(names) for names in drifted.extracts[table].one_of}
        for file in sorted(files):
            kind, _, name = file.partition("_")
            column = name if kind == "renamed" else alternatives.get(name, name)
            remedy = f"{name}_2 may be its new name: deliver it as {name}." * (kind == "renamed")
            head = f"drifting/{table}/2024-02-02_{file}.csv, column {column}: expected the required"
            expected.append(
                (f"{head} column {column}, found", remedy or "Deliver the column again.")
            )
    assert [(error.partition(" the columns ")[0]) for error in drifted.errors()] == [
        head for head, _ in expected
    ]
    for error, (_, remedy) in zip(drifted.errors(), expected, strict=True):
        assert error.endswith(remedy)
    # What was whole still counts.
    for table in drifted.extracts:
        assert drifted.company.query(f"select count(*) from {drifted.view(table)}") == [(ROWS,)]


def test_a_retyped_column_is_refused_where_it_is_required_and_else_its_rows_are_set_aside(
    drifting: Drifting,
) -> None:
    """Times in another notation become nulls."""

    def each_retyped(extract: Extract) -> dict[str, dict[str, str]]:
        return {
            column.name: whole(extract) | {column.name: "neither"}
            for column in extract.columns
            if column.data_type in TYPE_CHECKS and not column.is_required
        }

    drifted = drifting(each_retyped)
    assert not drifted.errors()
    for table, extract in drifted.extracts.items():
        typed = {column.name: TYPE_CHECKS.get(column.data_type) for column in extract.columns}
        assert sorted(drifted.notes(table)) == [
            f"{ROWS} of {ROWS} rows of drifting/{table}/2024-02-02_{name}.csv are quarantined for "
            f"column {name}: expected {check.expected}, found for example 'aaaaaaa' (letters "
            "as a, digits as 9)"
            for name in sorted(drifted.drifts[table])
            if (check := typed[name])
        ]
        assert drifted.company.query(
            f"select count(*) from raw.quarantined_rows where table_name = '{table}'"
        ) == [(ROWS * len(drifted.drifts[table]),)]


def test_a_retyped_column_that_is_required_is_refused_by_name(drifting: Drifting) -> None:
    """A source goes on with none of its rows."""

    def each_retyped(extract: Extract) -> dict[str, dict[str, str]]:
        return {
            column.name: whole(extract) | {column.name: "neither"}
            for column in extract.columns
            if column.data_type in TYPE_CHECKS and column.is_required
        }

    drifted = drifting(each_retyped)
    expected = [
        f"drifting/{table}/2024-02-02_{column.name}.csv, column {column.name}: expected "
        f"{TYPE_CHECKS[column.data_type].expected}, found no such value, but for example 'aaaaaaa' "
        "(letters as a, digits as 9). Export the column in the expected form."
        for table, files in sorted(drifted.drifts.items())
        for column in sorted(drifted.extracts[table].columns, key=lambda column: column.name)
        if column.name in files
    ]
    if not expected:
        pytest.skip("the system has no required column of a type")
    assert drifted.errors() == expected
