"""Which rows of a delivered file are accepted into raw and which are set aside, and why.

How a file is read is in `readers`, what a value must look like in `values`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from orchestration.contents import Contents
from orchestration.extracts import Column, Extract
from orchestration.landing import LandingFile
from orchestration.readers import PARQUET, Reading, read_file
from orchestration.refusals import RetypedColumnError
from orchestration.suppression import Suppression
from orchestration.values import (
    SHAPE,
    TYPE_CHECKS,
    first_fault,
    has_shape,
    is_refused,
    literal,
    quoted,
    shape_of,
)


@dataclass(frozen=True)
class Acceptance:
    """The two Parquet files that a delivered file was taken apart into.

    Attributes:
        columns: the delivered columns, as `accepted` has them after `_row`.
        rows_accepted: rows in `accepted`.
        rows_suppressed: rows about persons who were forgotten. They are in neither.
        rows_quarantined: rows in `quarantined`, which exists only if there are any.
        accepted: `_row` and the delivered columns as text.
        quarantined: `_row, column_name, reason, expected, text`.
    """

    columns: tuple[str, ...]
    rows_accepted: int
    rows_quarantined: int
    rows_suppressed: int
    accepted: Path
    quarantined: Path


def accept_file(
    connection: duckdb.DuckDBPyConnection,
    file: LandingFile,
    contents: Contents,
    extract: Extract,
    folder: Path,
    name: str,
    suppression: Suppression,
) -> Acceptance:
    """Take a delivered file apart into accepted and quarantined rows.

    Args:
        connection: a private DuckDB connection.
        file: the delivered file.
        contents: what its bytes say.
        extract: the table that it is to be.
        folder: where the Parquet files are written.
        name: what their names begin with.
        suppression: who was forgotten.

    Raises:
        DeliveryError: of the kind that says why the file as a whole cannot be used.
    """
    staged = folder / f"{name}.staged.parquet"
    accepted = folder / f"{name}.accepted.parquet"
    quarantined = folder / f"{name}.quarantined.parquet"
    reading = read_file(connection, file, contents, extract, staged)
    reading, suppressed = _suppress(connection, file, extract, reading, staged, suppression)
    rows, refused = _count_rows(connection, file, extract, reading, staged)

    if refused or reading.rejected or reading.has_gaps:
        _find_faults(connection, extract, reading, staged)
        _write_accepted(connection, reading, staged, accepted)
        _write_quarantined(connection, reading, quarantined)
        staged.unlink()
    else:
        staged.replace(accepted)
    return Acceptance(
        columns=reading.columns,
        rows_accepted=rows - refused,
        rows_quarantined=refused + reading.rejected,
        rows_suppressed=suppressed,
        accepted=accepted,
        quarantined=quarantined,
    )


def _suppress(
    connection: duckdb.DuckDBPyConnection,
    file: LandingFile,
    extract: Extract,
    reading: Reading,
    staged: Path,
    suppression: Suppression,
) -> tuple[Reading, int]:
    """Take out what is about persons who were forgotten, and say how many rows that was.

    Before anything is found out about the rows, so that no message can show them either.
    """
    if not suppression:
        return reading, 0
    suppression.tell(connection)
    is_about = suppression.is_about(extract, file.source, reading.columns)
    found = connection.execute(
        f"select count(*) from {_parquet(staged)} where {is_about}"
    ).fetchone()
    assert found
    suppressed = int(found[0])
    if suppressed:
        others = staged.with_suffix(".others")
        connection.execute(
            f"copy (from {_parquet(staged)} where not {is_about}) "
            f"to {literal(str(others))} {PARQUET}"
        )
        others.replace(staged)
    if reading.rejected:
        removed = connection.execute(
            f"delete from rejected_rows where {suppression.is_text_about('text', file.source)} "
            "returning _row"
        ).fetchall()
        suppressed += len(removed)
        reading = replace(reading, rejected=reading.rejected - len(removed))
    return reading, suppressed


def _count_rows(
    connection: duckdb.DuckDBPyConnection,
    file: LandingFile,
    extract: Extract,
    reading: Reading,
    staged: Path,
) -> tuple[int, int]:
    """How many rows were read, and how many of them have a fault.

    Raises:
        RetypedColumnError: if no value of a required column is meant as one of its type.
    """
    found = connection.execute(
        f"""
        select count(*), count(*) filter (where {is_refused(extract, reading.columns)})
        from {_parquet(staged)}
        """
    ).fetchone()
    assert found
    rows, refused = found
    if rows and rows == refused:
        for column in extract.columns:
            if column.is_required and column.data_type in TYPE_CHECKS:
                _check_type(connection, file, column, staged)
    return rows, refused


def _check_type(
    connection: duckdb.DuckDBPyConnection, file: LandingFile, column: Column, staged: Path
) -> None:
    found = connection.execute(
        f"""
        select count(*) filter (where {has_shape(column)}), min({quoted(column.name)})
        from {_parquet(staged)}
        """
    ).fetchone()
    assert found
    values, example = found
    if values == 0 and example is not None:
        raise RetypedColumnError(
            file.file,
            TYPE_CHECKS[column.data_type].expected,
            f"no such value, but for example {shape_of(example)[:40]!r} {SHAPE}",
            column=column.name,
        )


def _find_faults(
    connection: duckdb.DuckDBPyConnection, extract: Extract, reading: Reading, staged: Path
) -> None:
    """Make the temporary table `faults` of the rows that cannot be accepted.

    Not made for every file: a table takes DuckDB longer to make than a small file to judge.
    """
    connection.execute(
        f"""
        create or replace temp table faults as
        select _row, {first_fault(extract, reading.columns)} as fault
        from {_parquet(staged)}
        where {is_refused(extract, reading.columns)}
        """
    )


def _write_accepted(
    connection: duckdb.DuckDBPyConnection, reading: Reading, staged: Path, target: Path
) -> None:
    rows = f"(select * from {_parquet(staged)} anti join faults using (_row))"
    columns = ", ".join(quoted(name) for name in reading.columns)
    connection.execute(
        f"""
        copy (select _row, {columns} from {reading.numbered(rows, reading.columns)})
        to {literal(str(target))} {PARQUET}
        """
    )


def _write_quarantined(
    connection: duckdb.DuckDBPyConnection, reading: Reading, target: Path
) -> None:
    rejected = "union all select * from rejected_rows" if reading.rejected else ""
    connection.execute(
        f"""
        copy (
            select _row, fault.column_name, fault.reason, fault.expected, fault.text
            from {reading.numbered("faults", ["fault"])}
            {rejected}
            order by _row
        ) to {literal(str(target))} {PARQUET}
        """
    )


def _parquet(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"
