"""How tables become files: a file a table and day, in the format that the table names.

What the rows say belongs to `web` and `crm`, how a system spells them to `formats`. The SQL there
only spells; DuckDB does it for millions of rows in the time in which Python would do it for
thousands.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from simulation.columns import Columns, rows_of, take
from simulation.days import DAY, midnight
from simulation.parameters import Parameters
from simulation.words import connect


@dataclass(frozen=True)
class Table:
    """One table of a delivery.

    Attributes:
        name: its folder under that of its source.
        ending: of its files; it names their format.
        rows: SQL over the tables of `words`. Its first column is `delivered`, the instant at which
            a row reaches the warehouse; the others are those of the file. Rows of one instant stay
            in their order.
    """

    name: str
    ending: str
    rows: str


def write(
    tables: Mapping[str, Sequence[Table]],
    found: Mapping[str, Columns],
    parameters: Parameters,
    folder: Path,
    first: date,
    days: int,
) -> dict[str, int]:
    """Write what was delivered on `days` days from `first`, and give the rows of each table.

    A day without rows gets no file. Files are the same byte for byte whenever their rows are.

    Args:
        tables: the tables of each source.
        found: what happened and was delivered on these days, by the name of its table in `words`.
        parameters: what is true of the company.
        folder: gets a folder for each source.
        first: the first day.
        days: their number.
    """
    in_order = {
        name: take(rows, np.argsort(rows["delivered"], kind="stable"))
        for name, rows in found.items()
    }
    if not any(rows_of(rows) for rows in in_order.values()):
        return {}
    written = {}
    with connect(in_order, parameters) as connection:
        for source, tables_of_source in tables.items():
            for table in tables_of_source:
                written[table.name] = _write_table(
                    connection, table, folder / source / table.name, first, days
                )
    return written


def _write_table(
    connection: duckdb.DuckDBPyConnection, table: Table, folder: Path, first: date, days: int
) -> int:
    delivered, spelled = _spelled(connection, table)
    if not len(delivered):
        return 0
    if np.any(np.diff(delivered) < 0):
        order = np.argsort(delivered, kind="stable")
        delivered, spelled = delivered[order], spelled.take(pa.array(order))
    bounds = np.searchsorted(delivered, midnight(first) + DAY * np.arange(days + 1, dtype=np.int64))
    folder.mkdir(parents=True, exist_ok=True)
    content = _contents(table, spelled)
    for number in range(days):
        start, end = int(bounds[number]), int(bounds[number + 1])
        if start < end:
            day = first + timedelta(days=number)
            (folder / f"{day.isoformat()}.{table.ending}").write_bytes(content(start, end))
    return int(bounds[-1] - bounds[0])


def _spelled(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[np.ndarray, pa.Table]:
    """When each row was delivered, and the rows; of JSON Lines, their lines."""
    if not table.ending.startswith("jsonl"):
        rows = connection.sql(table.rows).to_arrow_table()
        return rows.column("delivered").to_numpy(), rows.drop_columns(["delivered"])
    connection.execute(f"create or replace temp table spelled as {table.rows}")
    delivered = connection.sql("select delivered from spelled").fetchnumpy()["delivered"]
    line = "cast(to_json(spelled) as varchar) || chr(10)"
    lines = connection.sql(
        f"select {line} as line from (select * exclude (delivered) from spelled) as spelled"
    )
    return delivered, lines.to_arrow_table()


def _contents(table: Table, spelled: pa.Table) -> Callable[[int, int], bytes]:
    """A function from a range of rows to the bytes of their file."""
    kind, _, packing = table.ending.partition(".")
    if kind == "parquet":
        return lambda start, end: _parquet(spelled.slice(start, end - start))
    if kind == "csv":
        return lambda start, end: _packed(_csv(spelled.slice(start, end - start)), packing)
    lines = spelled.column("line").to_pylist()
    return lambda start, end: _packed("".join(lines[start:end]).encode(), packing)


def _parquet(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(rows, buffer, compression="zstd", compression_level=1)
    return buffer.getvalue()


def _csv(rows: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(rows, buffer)
    return buffer.getvalue()


def _packed(content: bytes, packing: str) -> bytes:
    # Without a time in the header, the same rows give the same bytes.
    return gzip.compress(content, compresslevel=6, mtime=0) if packing == "gz" else content
