"""Read a written release back, as a reader would, and hold it against the build.

Whether the release is what was built is for this module, whether that is right for the gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.published_tables import PublishedTable, literal, quoted_list
from orchestration.release_database import (
    DATABASE,
    PARQUET,
    Columns,
    columns_of,
    connection_to,
    digest,
    parquet_file,
    relation,
    relations_of,
)
from orchestration.release_log import LOG_TABLES
from orchestration.release_macros import KNOWN_ON_TABLE, Macro, release_macros
from orchestration.releases import Release
from orchestration.settings import Settings


class AuditError(RuntimeError):
    """A release that is not what was to be written. Says what was expected and found, and where."""


def audit(
    settings: Settings,
    folder: Path,
    tables: Sequence[PublishedTable],
    release: Release,
) -> None:
    """Compare database, Parquet and build: the same tables, columns, types and rows, unique keys.

    The macros must be there and fit the tables, and `funnel_known_on` give the rows of its table.

    Args:
        settings: where the build is that it was copied from.
        folder: where the release was written.
        tables: what it should hold, besides the release log.
        release: what it says about itself.

    Raises:
        AuditError: the first difference.
    """
    build = settings.build
    attached = {"build": (build, "read_only"), "release": (folder / DATABASE, "read_only")}
    with connection_to(settings, attached) as connection:
        everything = (*tables, *LOG_TABLES)
        names = sorted(table.name for table in everything)
        found = sorted(name for _, name in relations_of(connection, "release"))
        _expect(release, f"tables in {DATABASE}", ", ".join(names), ", ".join(found))
        files = sorted(path.name.removesuffix(".parquet") for path in (folder / PARQUET).iterdir())
        _expect(release, f"files in {PARQUET}/", ", ".join(names), ", ".join(files))
        for table in everything:
            parquet = f"read_parquet({literal(str(parquet_file(folder, table)))})"
            copies = {f"{PARQUET}/{table.name}.parquet": parquet}
            if table not in LOG_TABLES:
                copies[build.name] = relation("build", table)
            _expect_same(connection, release, table, copies)
            _expect_unique_key(connection, release, table)
        macros = release_macros(tables, settings.reporting_timezone)
        _expect_macros(connection, release, macros)
        for table in tables:
            if table.name == KNOWN_ON_TABLE:
                _expect_known_on(connection, release, table)


def _expect_macros(
    connection: duckdb.DuckDBPyConnection, release: Release, macros: Sequence[Macro]
) -> None:
    found = connection.execute(
        "select function_name from duckdb_functions() where database_name = 'release' "
        "and function_type in ('macro', 'table_macro') order by all"
    ).fetchall()
    names = ", ".join(sorted(macro.name for macro in macros))
    _expect(release, f"macros in {DATABASE}", names, ", ".join(name for (name,) in found))
    # As a reader who has opened the file: the macros name tables without their database.
    connection.execute("use release")
    for macro in macros:
        try:
            connection.execute(f"describe {'from' if macro.is_table else 'select'} {macro.example}")
        except duckdb.Error as error:
            _expect(release, f"macro {macro.name}", "one that fits the tables", str(error))


def _expect_known_on(
    connection: duckdb.DuckDBPyConnection, release: Release, table: PublishedTable
) -> None:
    source = relation("release", table)
    dates = connection.execute(f"select distinct known_on from {source} order by all").fetchall()
    for (date,) in dates:
        chosen = f"(from {source} where known_on = {literal(str(date))})"
        asked = f"funnel_known_on({literal(str(date))})"
        columns = table.column_names
        _expect(
            release,
            f"funnel_known_on({date})",
            str(digest(connection, chosen, columns)),
            str(digest(connection, asked, columns)),
        )


def _expect_same(
    connection: duckdb.DuckDBPyConnection,
    release: Release,
    table: PublishedTable,
    copies: Mapping[str, str],
) -> None:
    original = relation("release", table)
    columns = columns_of(connection, original)
    for place, copy in copies.items():
        others = columns_of(connection, copy)
        odd = [name for name in {**columns, **others} if columns.get(name) != others.get(name)]
        what = f"columns of {table.name} in {place}"
        _expect(release, what, _typed(columns, odd), _typed(others, odd))
    rows = digest(connection, original, table.column_names)
    for place, copy in copies.items():
        found = digest(connection, copy, table.column_names)
        _expect(release, f"{table.name} in {place}", str(rows), str(found))
    if table not in LOG_TABLES:
        _expect(release, f"{table.name} as logged", rows.rows, release.rows[table.name])


def _expect_unique_key(
    connection: duckdb.DuckDBPyConnection, release: Release, table: PublishedTable
) -> None:
    key = quoted_list(table.key)
    repeated = connection.execute(
        f"select {key}, count(*) from {relation('release', table)} group by {key} "
        f"having count(*) > 1 order by {key} limit 1"
    ).fetchone()
    if repeated is None:
        return
    *values, times = repeated
    shown = ", ".join(f"{name} = {value}" for name, value in zip(table.key, values, strict=True))
    _expect(
        release,
        f"{table.name}, by the key that its model declares in config.meta.key",
        f"one row for each ({', '.join(table.key)})",
        f"{times} rows with {shown}",
    )


def _expect(release: Release, what: str, expected: object, found: object) -> None:
    if found != expected:
        raise AuditError(
            f"release {release.release_id}, {what}: expected {expected}, found {found}. It was not "
            "published and is deleted again; readers keep the release that they have."
        )


def _typed(columns: Columns, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {columns.get(name, '(not there)')}" for name in names) or "the same"
