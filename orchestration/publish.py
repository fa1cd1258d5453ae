"""Audit first, then publish: a release is written and read back before readers can see it.

The caller holds the writer lock and has the gates behind it. Names, the link and retention are in
`releases`, the audit in `release_audit`, what a release tells about itself in `release_log`.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration import releases
from orchestration.published_tables import PublishedTable, literal, quoted, quoted_list
from orchestration.release_audit import audit
from orchestration.release_changes import TableChange, table_change
from orchestration.release_database import (
    DATABASE,
    PARQUET,
    columns_of,
    connection_to,
    parquet_file,
    relation,
    relations_of,
)
from orchestration.release_log import LOG_TABLES, gate_rows, write_log
from orchestration.release_macros import create_macros, release_macros
from orchestration.releases import DESCRIPTION, Release
from orchestration.report.writing import has_report, write_report
from orchestration.settings import Settings

# DuckDB 1.2 and later open this; the default of a later version would lock older clients out.
WRITABLE = "storage_version 'v1.2.0'"

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# DuckDB passes on what the operating system said, but not its number.
NO_ROOM_MESSAGES = ("No space left on device", "Disk quota exceeded", "File too large")


class PublishError(RuntimeError):
    """A build that cannot be published. Readers keep the release that they have."""


class NoRoomError(PublishError):
    """A release for which the disk had no room."""


def publish(
    settings: Settings,
    tables: Sequence[PublishedTable],
    as_of: datetime,
    fingerprint: str,
    run_id: str,
    gates: Sequence[Mapping[str, Any]],
    accepted: Sequence[Mapping[str, Any]],
    published_at: datetime | None = None,
) -> Release:
    """Publish the tables of `build.duckdb` as the next release, unless readers have just that.

    Args:
        settings: where the build and the releases are, and how many releases are kept.
        tables: what to publish; nothing else of the build is.
        as_of: the instant (UTC, without an offset) up to which the build knows.
        fingerprint: of all else that the tables follow from: deliveries, declarations, models.
        run_id: the run that built them.
        gates: the gates' results, as `release_log.gate_rows` describes them.
        accepted: the surprises that were let pass.
        published_at: the instant (UTC, without an offset) to log; None for now.

    Returns:
        The release that readers have now. Where as-of and fingerprint are those of the current one,
        it is that one with its own `run_id`, and nothing was written.

    Raises:
        PublishError: the build is not there, or does not have the tables as they are declared.
        release_database.DatabaseInUseError: another process has the build open for writing.
        NoRoomError: the disk is full.
        release_audit.AuditError: what was written is not what was built, or a key is not unique.
        release_log.GateResultError: a gate result lacks what is logged of it.
        report.writing.ReportError: a table lacks what the report shows of it.
        lock.LockHeldError: somebody else is publishing or rolling back.
    """
    if as_of.tzinfo is not None:
        raise PublishError(f"as-of {as_of}: expected an instant in UTC without an offset.")
    published = settings.published
    (published / "releases").mkdir(parents=True, exist_ok=True)
    with releases.publishing_lock(published, f"publishing of run {run_id}"), _room_in(published):
        releases.recover(published)
        current = releases.linked_release(published)
        if current and (current.as_of, current.fingerprint) == (as_of, fingerprint):
            release = current
        else:
            release = releases.next_release(
                published, current, as_of, fingerprint, run_id, published_at or _now()
            )
            release = _write(settings, tables, gate_rows(gates, accepted), release, current)
            _show(published, release)
        releases.expire(published, settings.keep_releases)
        releases.recover(published)
    return release


def _write(
    settings: Settings,
    tables: Sequence[PublishedTable],
    gates: Sequence[Mapping[str, str | None]],
    release: Release,
    current: Release | None,
) -> Release:
    """Write and audit a release under its partial name; return it with its rows."""
    folder = releases.partial_folder(settings.published, release.release_id)
    (folder / PARQUET).mkdir(parents=True)
    before = releases.release_folder(settings.published, current.release_id) if current else None
    # Not the current one: after a rollback the newest knows of one release more.
    newest = releases.newest_release(settings.published)
    history = releases.release_folder(settings.published, newest.release_id) if newest else None

    changes = _copy_tables(settings, folder, tables, before)
    changes += _dropped_tables(tables, current)
    release = release.with_rows(
        {change.table_name: change.rows for change in changes if change.rows is not None}
    ).with_keys({table.name: table.key for table in (*tables, *LOG_TABLES)})
    # A connection of its own: the newest release may be the one before, and no file can be attached
    # under two names.
    attached = {"release": (folder / DATABASE, WRITABLE)}
    if history:
        attached["history"] = (history / DATABASE, "read_only")
    with connection_to(settings, attached) as connection:
        # In one transaction: each statement on its own would wait for the disk.
        connection.execute("begin")
        write_log(connection, "release", "history" if history else None, release, changes, gates)
        _comment(connection, (*tables, *LOG_TABLES))
        connection.execute("use release")
        create_macros(connection, release_macros(tables, settings.reporting_timezone))
        connection.execute("commit")
        unchanged = {change.table_name for change in changes if change.is_unchanged}
        _write_parquet(connection, folder, (*tables, *LOG_TABLES), before, unchanged)
        # Closing would do it too, but would not say if it failed.
        connection.execute("checkpoint release")
    (folder / DESCRIPTION).write_text(release.to_json(), encoding="utf-8")
    if has_report(tables):
        write_report(settings, folder, release, before)

    audit(settings, folder, tables, release)
    for path in [*folder.rglob("*"), folder]:
        if path.is_file():
            # A release is immutable; a client that forgets to open it for reading only is refused.
            path.chmod(path.stat().st_mode & ~0o222)
        releases.sync(path)
    return release


def _copy_tables(
    settings: Settings,
    folder: Path,
    tables: Sequence[PublishedTable],
    before: Path | None,
) -> list[TableChange]:
    """Copy the tables in the order of their keys, and compare them with the release before."""
    build = settings.build
    if not build.is_file():
        raise PublishError(f"{build}: expected what was built, found no such file. Build it first.")
    attached = {
        "build": (build, "read_only"),
        "release": (folder / DATABASE, WRITABLE),
    }
    if before:
        attached["before"] = (before / DATABASE, "read_only")
    with connection_to(settings, attached) as connection:
        _refuse_other_tables(connection, build, tables)
        names_before = relations_of(connection, "before")
        changes = []
        for table in tables:
            order = ", ".join(f"{quoted(column)} nulls last" for column in table.key)
            connection.execute(
                f"create table {relation('release', table)} as "
                f"select {quoted_list(table.column_names)} from {relation('build', table)} "
                f"order by {order}"
            )
            is_new = ("main", table.name) not in names_before
            changes.append(
                table_change(
                    connection,
                    table,
                    after=relation("release", table),
                    before=None if is_new else relation("before", table),
                )
            )
        connection.execute("checkpoint release")
    return changes


def _dropped_tables(tables: Sequence[PublishedTable], current: Release | None) -> list[TableChange]:
    published = {table.name for table in tables}
    return [
        TableChange(name, rows=None, rows_before=rows)
        for name, rows in (current.rows.items() if current else ())
        if name not in published
    ]


def _comment(connection: duckdb.DuckDBPyConnection, tables: Sequence[PublishedTable]) -> None:
    """Put the descriptions into the file, where analysts see them."""
    for table in tables:
        name = relation("release", table)
        connection.execute(f"comment on table {name} is {literal(table.description)}")
        for column in table.columns:
            connection.execute(
                f"comment on column {name}.{quoted(column.name)} is {literal(column.description)}"
            )


def _write_parquet(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Sequence[PublishedTable],
    before: Path | None,
    unchanged: set[str],
) -> None:
    for table in tables:
        target = parquet_file(folder, table)
        if before and table.name in unchanged:
            target.hardlink_to(parquet_file(before, table))
        else:
            connection.execute(
                f"copy (from {relation('release', table)}) to {literal(str(target))} "
                "(format parquet, compression zstd)"
            )


def _show(published: Path, release: Release) -> None:
    """Give the release its name, and then, in one step, to the readers."""
    partial = releases.partial_folder(published, release.release_id)
    partial.rename(releases.release_folder(published, release.release_id))
    releases.sync(published / "releases")
    releases.move_link(published, release.release_id)


def _refuse_other_tables(
    connection: duckdb.DuckDBPyConnection, build: Path, tables: Sequence[PublishedTable]
) -> None:
    built = relations_of(connection, "build")
    for table in tables:
        where = f"{build}: {table.schema}.{table.name}"
        if table.name in {log_table.name for log_table in LOG_TABLES}:
            raise PublishError(
                f"{where}: expected a name of its own, found one of the release log's tables. "
                "Rename the model."
            )
        if (table.schema, table.name) not in built:
            raise PublishError(
                f"{where}: expected a table to publish, found none. Build all models, then publish."
            )
        found = list(columns_of(connection, relation("build", table)))
        if sorted(found) != sorted(table.column_names):
            raise PublishError(
                f"{where}: expected the columns {', '.join(table.column_names)}, found "
                f"{', '.join(found)}. The manifest is of other models: build all, then publish."
            )


@contextmanager
def _room_in(published: Path) -> Iterator[None]:
    """Delete what was half-written if publishing fails, and say so plainly if the disk is full."""
    try:
        yield
    except BaseException as error:
        written = sum(
            path.stat().st_size
            for path in published.glob("releases/.*.partial/**/*")
            # A file that is linked to the release before takes no room of its own.
            if path.is_file() and path.stat().st_nlink == 1
        )
        releases.clear_leftovers(published)
        if not _is_no_room(error):
            raise
        current = releases.linked_release(published)
        raise NoRoomError(
            f"{published}: expected room for a release, found none after {_megabytes(written)} of "
            f"it; with that deleted, {_megabytes(shutil.disk_usage(published).free)} are free. "
            + (_kept(published, current) if current else "Nothing is published yet. ")
            + "Make room, or keep fewer releases (FUNNEL_KEEP_RELEASES), and run `make nightly` "
            f"again. The system said: {error}"
        ) from error


def _kept(published: Path, current: Release) -> str:
    folder = releases.release_folder(published, current.release_id)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"Readers have {current.release_id}, which takes {_megabytes(size)}. "


def _is_no_room(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return isinstance(error, duckdb.Error) and any(text in str(error) for text in NO_ROOM_MESSAGES)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
