"""How a release's files are opened and looked at, for writing it and for auditing it.

What a release must hold is in `publish` and `release_audit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.database import open_database
from orchestration.published_tables import PublishedTable, literal, quoted, quoted_list
from orchestration.settings import Settings

DATABASE = "funnel.duckdb"
PARQUET = "parquet"

Columns = dict[str, str]


@dataclass(frozen=True)
class Digest:
    """The number of rows and the sum of their hashes: the same for the same rows in any order.

    The hashes are those of one DuckDB version, so compare digests within one process only.
    """

    rows: int
    hashes: int

    def __str__(self) -> str:
        """For messages."""
        return f"{self.rows} rows of content {self.hashes % 2**32:08x}"


class DatabaseInUseError(RuntimeError):
    """A database that somebody else has open for writing. The message says who."""


@contextmanager
def connection_to(
    settings: Settings, attached: dict[str, tuple[Path, str]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that has these databases attached and no data of its own.

    Args:
        settings: how much memory there is, and where to spill.
        attached: name to file and options of `attach`, such as `read_only`.

    Raises:
        DatabaseInUseError: another process has one of them open for writing.
    """
    with closing(open_database(settings)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        # Tables are written in the order of their key, and Parquet in the order of the tables.
        connection.execute("set preserve_insertion_order = true")
        for name, (path, options) in attached.items():
            try:
                connection.execute(f"attach {literal(str(path))} as {quoted(name)} ({options})")
            except duckdb.IOException as error:
                if "Could not set lock" not in str(error):
                    raise
                raise DatabaseInUseError(
                    f"{path}: expected to open it, found it open for writing elsewhere. Close what "
                    f"has it open, and run `make nightly` again. The database said: {error}"
                ) from error
        yield connection


def relation(catalog: str, table: PublishedTable) -> str:
    """A table of a release or, with the catalog `build`, of the build, in SQL."""
    schema = table.schema if catalog == "build" else "main"
    return f"{quoted(catalog)}.{quoted(schema)}.{quoted(table.name)}"


def parquet_file(folder: Path, table: PublishedTable) -> Path:
    """Where a release has this table as Parquet."""
    return folder / PARQUET / f"{table.name}.parquet"


def relations_of(connection: duckdb.DuckDBPyConnection, catalog: str) -> set[tuple[str, str]]:
    """Schema and name of every table and view of an attached database."""
    found = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = $catalog "
        "union all "
        "select schema_name, view_name from duckdb_views() "
        "where database_name = $catalog and not internal",
        {"catalog": catalog},
    ).fetchall()
    return {(schema, name) for schema, name in found}


def columns_of(connection: duckdb.DuckDBPyConnection, source: str) -> Columns:
    """The columns of `source` (SQL), name to type, in order."""
    described = connection.execute(f"describe from {source}").fetchall()
    return {name: data_type for name, data_type, *_ in described}


def digest(connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[str]) -> Digest:
    """The digest of these columns of `source` (SQL)."""
    found = connection.execute(
        f"select count(*), coalesce(sum(hash({quoted_list(columns)})), 0) from {source}"
    ).fetchone()
    assert found is not None
    return Digest(*found)
