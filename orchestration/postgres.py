"""A release in PostgreSQL, for teams whose BI tool needs a server.

The release is loaded into a schema that nobody reads, counted, and then takes the name `funnel` in
one transaction. Whatever dies before that leaves readers with what they have; the next call begins
anew. The release before stays as `funnel_previous` until the next one comes, for those who still
read it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
from psycopg import errors, sql

from orchestration import releases
from orchestration.published_tables import literal
from orchestration.release_database import DATABASE
from orchestration.releases import Release
from orchestration.settings import Settings

SCHEMA, NEXT, PREVIOUS = "funnel", "funnel_next", "funnel_previous"
READERS = "funnel_reader"
# Any number will do, as long as nobody else in the database takes it for something else.
ADVISORY_LOCK = 3_865_470_566
CHUNK = 1 << 20
# While it waits for readers, new ones wait behind it; after less than PostgreSQL's own limit of a
# second it gives way, so that nobody's statement is ended as a deadlock.
SWAP_WAIT, SWAPS_TRIED, SECONDS_BETWEEN_SWAPS = "200ms", 30, 1.0
DROP_WAIT = "30s"

TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "HUGEINT": "numeric(38, 0)",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "TIMESTAMP": "timestamp",
    "UBIGINT": "numeric(20, 0)",
    "VARCHAR": "text",
}


class PostgresError(RuntimeError):
    """A release that could not be brought to PostgreSQL. Says what was expected and what to do."""


@dataclass(frozen=True)
class Loaded:
    """What `publish_to_postgres` did: the release, and whether it had to be loaded at all."""

    release: Release
    was_loaded: bool


@dataclass(frozen=True)
class Column:
    """A column of the release: its name, type in PostgreSQL, and description."""

    name: str
    data_type: str
    description: str | None


@dataclass(frozen=True)
class Table:
    """A table of the release, with the columns that tell its rows apart; none where unknown."""

    name: str
    description: str | None
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def publish_to_postgres(settings: Settings, tell: Callable[[str], None]) -> Loaded:
    """Give the readers of the server the current release, unless they have it.

    Args:
        settings: where the releases are, and the address of the server.
        tell: called with a line for each table.

    Raises:
        PostgresError: there is no address, release, server or right; or a table arrived otherwise
            than it was sent. Readers keep what they have.
        releases.ReleaseError: the link leads to a release that is not there.
    """
    if not settings.postgres_url:
        raise PostgresError(
            "FUNNEL_POSTGRES_URL: expected the address of a PostgreSQL database, found none. Set "
            "it, as in postgresql://loader:password@host/analytics."
        )
    release = releases.current_release(settings)
    if release is None:
        raise PostgresError(
            f"{settings.published}: expected a release to load, found none. `make nightly` "
            "publishes one."
        )
    file = releases.release_folder(settings.published, release.release_id) / DATABASE
    with (
        _connection(settings.postgres_url) as server,
        duckdb.connect(str(file), read_only=True) as source,
    ):
        if _release_in(server, SCHEMA) == release.release_id:
            return Loaded(release, was_loaded=False)
        _forget_previous(server)
        _begin(server)
        for table in tables_of(source, release):
            rows = _load(server, source, table, settings.temporary)
            expected = release.rows.get(table.name, rows)
            if rows != expected:
                raise PostgresError(
                    f"{NEXT}.{table.name}: expected {expected} rows, as release.json of "
                    f"{release.release_id} has it, found {rows}. Readers keep what they have. Call "
                    "this again; if it says the same, please report it."
                )
            tell(f"{table.name}: {rows:,} rows")
        _finish(server, release)
        _swap(server)
    return Loaded(release, was_loaded=True)


def tables_of(source: duckdb.DuckDBPyConnection, release: Release) -> tuple[Table, ...]:
    """The tables of a release, as they are to be made in PostgreSQL.

    Raises:
        PostgresError: a column is of a type that has no counterpart here.
    """
    described = source.execute(
        "select table_name, comment from duckdb_tables() order by table_name"
    ).fetchall()
    return tuple(
        Table(
            name=name,
            description=comment,
            columns=tuple(
                Column(column, _type(name, column, data_type), description)
                for column, data_type, description in source.execute(
                    "select column_name, data_type, comment from duckdb_columns() "
                    "where table_name = ? order by column_index",
                    [name],
                ).fetchall()
            ),
            key=tuple(release.keys.get(name, ())),
        )
        for name, comment in described
    )


def _type(table: str, column: str, data_type: str) -> str:
    if data_type.startswith("DECIMAL("):
        return data_type.replace("DECIMAL", "numeric")
    if data_type not in TYPES:
        raise PostgresError(
            f"{table}.{column}: expected DECIMAL or a type that PostgreSQL has too "
            f"({', '.join(sorted(TYPES))}), found {data_type}. Add it to orchestration/postgres.py."
        )
    return TYPES[data_type]


@contextmanager
def _connection(url: str) -> Iterator[psycopg.Connection]:
    """A connection that holds the lock against a second loading, and tells errors in our words."""
    password = psycopg.conninfo.conninfo_to_dict(url).get("password")

    def without_password(error: psycopg.Error) -> str:
        text = str(error).strip()
        return text.replace(str(password), "…") if password else text

    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise PostgresError(
            "FUNNEL_POSTGRES_URL: expected to connect to the PostgreSQL database that it names. "
            f"Look at address, user and password. The server said: {without_password(error)}"
        ) from None
    with connection:
        try:
            row = connection.execute("select pg_try_advisory_lock(%s)", [ADVISORY_LOCK]).fetchone()
            if row is None or not row[0]:
                raise PostgresError(
                    "PostgreSQL: expected to be the only one to load a release, found another "
                    "loading at work in this database. Wait for its end."
                )
            yield connection
        except errors.InsufficientPrivilege as error:
            info = connection.info
            raise PostgresError(
                f"PostgreSQL: expected that {info.user} may create schemas in the database "
                f"{info.dbname} and the role {READERS}, found that it may not. Let an "
                f'administrator say: grant create on database "{info.dbname}" to "{info.user}"; '
                f"create role {READERS} nologin; The server said: {without_password(error)}"
            ) from error
        except psycopg.Error as error:
            raise PostgresError(
                "PostgreSQL: the loading was broken off; readers keep what they have, and the "
                f"next call begins anew. The server said: {without_password(error)}"
            ) from error


def _release_in(server: psycopg.Connection, schema: str) -> str | None:
    """Which release a schema holds; None where there is no such schema, or it is not ours."""
    row = server.execute(
        "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = %s",
        [schema],
    ).fetchone()
    if row is None:
        return None
    words = (row[0] or "").split()
    if words[:1] != ["Release"]:
        raise PostgresError(
            f"PostgreSQL: expected no schema {schema} but that of a release, found one that "
            "somebody else has made. Rename or drop it, or name another database."
        )
    return words[1].rstrip(",")


def _forget_previous(server: psycopg.Connection) -> None:
    """Drop the release before the one that readers have, unless somebody built on it."""
    if _release_in(server, PREVIOUS) is None:
        return
    dependents = server.execute(
        """
        select distinct format('%%I.%%I', view_schemas.nspname, views.relname)
        from pg_depend
        inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
        inner join pg_class as views on pg_rewrite.ev_class = views.oid
        inner join pg_namespace as view_schemas on views.relnamespace = view_schemas.oid
        inner join pg_class as tables on pg_depend.refobjid = tables.oid
        inner join pg_namespace as table_schemas on tables.relnamespace = table_schemas.oid
        where
            pg_depend.classid = 'pg_rewrite'::regclass
            and pg_depend.refclassid = 'pg_class'::regclass
            and table_schemas.nspname = %s
            and view_schemas.nspname <> %s
        order by 1
        """,
        [PREVIOUS, PREVIOUS],
    ).fetchall()
    if dependents:
        raise PostgresError(
            f"PostgreSQL: expected nothing that still depends on {PREVIOUS}, found the views "
            f"{', '.join(name for (name,) in dependents)}. A view stays with the tables that it "
            f"was made of: drop them, and create them anew on {SCHEMA} after each release."
        )
    with server.transaction():
        server.execute(sql.SQL("set local lock_timeout = {}").format(DROP_WAIT))
        try:
            server.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(PREVIOUS)))
        except errors.LockNotAvailable as error:
            raise PostgresError(
                f"PostgreSQL: expected that nobody reads {PREVIOUS} any more, found that somebody "
                f"did for {DROP_WAIT}. End that transaction, and call again."
            ) from error


def _begin(server: psycopg.Connection) -> None:
    """An empty schema for the next release, and the role of its readers."""
    with server.transaction():
        known = server.execute("select 1 from pg_roles where rolname = %s", [READERS]).fetchone()
        if known is None:
            server.execute(sql.SQL("create role {} nologin").format(sql.Identifier(READERS)))
        schema = sql.Identifier(NEXT)
        server.execute(sql.SQL("drop schema if exists {} cascade").format(schema))
        server.execute(sql.SQL("create schema {}").format(schema))


def _load(
    server: psycopg.Connection, source: duckdb.DuckDBPyConnection, table: Table, temporary: Path
) -> int:
    """Make one table with its rows, key and descriptions; return how many rows arrived."""
    name = sql.Identifier(NEXT, table.name)
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), sql.SQL(column.data_type))
        for column in table.columns
    )
    temporary.mkdir(parents=True, exist_ok=True)
    with server.transaction(), tempfile.TemporaryDirectory(dir=temporary) as folder:
        server.execute(sql.SQL("create table {} ({})").format(name, columns))
        rows = Path(folder, "rows.csv")
        # All values in quotes, nulls without: an empty text stays one.
        source.execute(
            f'copy "{table.name}" to {literal(str(rows))} '
            "(format csv, header false, force_quote *, nullstr '')"
        )
        statement = sql.SQL("copy {} from stdin (format csv, null '')").format(name)
        with (
            server.cursor() as cursor,
            cursor.copy(statement) as copy,
            rows.open("rb") as file,
        ):
            while chunk := file.read(CHUNK):
                copy.write(chunk)
        _add_key(server, name, table.key)
        _describe(server, name, table)
        server.execute(sql.SQL("analyze {}").format(name))
        row = server.execute(sql.SQL("select count(*) from {}").format(name)).fetchone()
    return row[0] if row else 0


def _add_key(server: psycopg.Connection, name: sql.Identifier, key: Sequence[str]) -> None:
    """The primary key; a unique one where a null is a value of it, as in the cohort `all`."""
    if not key:
        return
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in key)
    any_null = sql.SQL(" or ").join(
        sql.SQL("{} is null").format(sql.Identifier(column)) for column in key
    )
    has_null = server.execute(
        sql.SQL("select exists (select 1 from {} where {})").format(name, any_null)
    ).fetchone()
    if has_null and has_null[0]:
        # Before 15, PostgreSQL takes nulls for different ones: a unique key that says less.
        nulls = "nulls not distinct " if server.info.server_version >= 150000 else ""
        kind = sql.SQL(f"unique {nulls}")
    else:
        kind = sql.SQL("primary key ")
    server.execute(sql.SQL("alter table {} add {} ({})").format(name, kind, columns))


def _describe(server: psycopg.Connection, name: sql.Identifier, table: Table) -> None:
    server.execute(sql.SQL("comment on table {} is {}").format(name, table.description))
    for column in table.columns:
        server.execute(
            sql.SQL("comment on column {}.{} is {}").format(
                name, sql.Identifier(column.name), column.description
            )
        )


def _finish(server: psycopg.Connection, release: Release) -> None:
    """What the schema says of itself, and who may read it; both go with it to its new name."""
    schema, readers = sql.Identifier(NEXT), sql.Identifier(READERS)
    text = f"Release {release.release_id}, as of {release.as_of:%Y-%m-%d %H:%M} UTC."
    with server.transaction():
        server.execute(sql.SQL("comment on schema {} is {}").format(schema, text))
        server.execute(sql.SQL("grant usage on schema {} to {}").format(schema, readers))
        server.execute(
            sql.SQL("grant select on all tables in schema {} to {}").format(schema, readers)
        )


def _swap(server: psycopg.Connection) -> None:
    """Give the schema its name, in one transaction.

    While its locks are held no statement is between two tables, so that none finds one of each
    release. Where somebody reads without end, the names change all the same.
    """
    for tried in range(SWAPS_TRIED):
        try:
            _rename(server, is_locked=tried < SWAPS_TRIED - 1)
            return
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            time.sleep(SECONDS_BETWEEN_SWAPS)


def _rename(server: psycopg.Connection, is_locked: bool) -> None:
    rename = sql.SQL("alter schema {} rename to {}")
    with server.transaction():
        if _release_in(server, SCHEMA) is not None:
            if is_locked:
                _lock_tables(server)
            server.execute(rename.format(sql.Identifier(SCHEMA), sql.Identifier(PREVIOUS)))
        server.execute(rename.format(sql.Identifier(NEXT), sql.Identifier(SCHEMA)))


def _lock_tables(server: psycopg.Connection) -> None:
    server.execute(sql.SQL("set local lock_timeout = {}").format(SWAP_WAIT))
    names = server.execute(
        "select tablename from pg_tables where schemaname = %s order by tablename", [SCHEMA]
    ).fetchall()
    tables = sql.SQL(", ").join(sql.Identifier(SCHEMA, name) for (name,) in names)
    if names:
        server.execute(sql.SQL("lock table {} in access exclusive mode").format(tables))
