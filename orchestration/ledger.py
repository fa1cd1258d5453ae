"""The ledger: which files were seen with which content, when, and what became of them.

It holds no rows of deliveries. A version of a file is a path with a content; its `load_id` is made
of both, so that it is the same however often the work is done again. Only who asks for a file to be
read again makes a new version of what was there before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

TABLES = """
create table if not exists looks (
    file varchar primary key,
    size bigint not null,
    modified_ns bigint not null,
    changed_ns bigint not null,
    looked_ns bigint not null,
    content_hash varchar not null
);
create table if not exists sightings (
    load_id varchar primary key,
    first_seen_at timestamp not null
);
create table if not exists loads (
    load_id varchar primary key,
    source varchar not null,
    table_name varchar not null,
    file varchar not null,
    content_hash varchar not null,
    path_date date,
    status varchar not null,
    refused_reason varchar,
    rows_read bigint not null,
    rows_loaded bigint not null,
    rows_quarantined bigint not null,
    columns varchar[] not null,
    new_columns varchar[] not null,
    run_id varchar not null
);
alter table loads add column if not exists rows_suppressed bigint default 0;
create table if not exists deliveries (
    delivery_number bigint primary key,
    load_id varchar not null,
    file varchar not null,
    found_at timestamp not null,
    run_id varchar not null
);
create table if not exists readings (
    file varchar primary key,
    readings bigint not null
);
create table if not exists suppression_list (hashes bigint not null);
"""
# File systems tell times in steps: what was written within so long of a look may be unseen by it.
RACY_NS = 2_000_000_000


class LedgerError(Exception):
    """The ledger cannot be used. The message says where it is and what to do."""


@dataclass(frozen=True)
class Look:
    """What a file looked like when its content was hashed; times in nanoseconds of 1970."""

    file: str
    size: int
    modified_ns: int
    changed_ns: int
    looked_ns: int
    content_hash: str

    def still_holds(self, size: int, modified_ns: int, changed_ns: int) -> bool:
        """Whether a file that looks so now has the same content without a doubt."""
        is_same = self.is_as(size, modified_ns, changed_ns)
        return is_same and max(modified_ns, changed_ns) < self.looked_ns - RACY_NS

    def is_as(self, size: int, modified_ns: int, changed_ns: int) -> bool:
        """Whether a file that looks so now looks as it did then."""
        return (self.size, self.modified_ns, self.changed_ns) == (size, modified_ns, changed_ns)


@dataclass(frozen=True)
class Load:
    """A version of a landing file and what became of it: `status` is `loaded` or `refused`."""

    load_id: str
    source: str
    table_name: str
    file: str
    content_hash: str
    path_date: date | None
    status: str
    refused_reason: str | None
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    rows_suppressed: int
    columns: tuple[str, ...]
    new_columns: tuple[str, ...]
    run_id: str

    @property
    def is_loaded(self) -> bool:
        """Whether it was accepted."""
        return self.status == "loaded"

    @property
    def parquet(self) -> str:
        """Where its rows lie below the folders of raw and quarantine."""
        return f"{self.source}/{self.table_name}/{self.load_id}.parquet"

    def files(self, raw: Path, quarantine: Path) -> tuple[Path, ...]:
        """The Parquet files with its rows in the folders of raw and quarantine."""
        accepted, quarantined = raw / self.parquet, quarantine / self.parquet
        return (accepted, quarantined) if self.rows_quarantined else (accepted,)


def load_id(file: str, content_hash: str, readings: int = 0) -> str:
    """The key of a version of a file: 16 hexadecimal digits.

    Args:
        file: its path in the landing.
        content_hash: what is in it.
        readings: how often it was asked for to be read again (`Ledger.readings`).
    """
    again = f"\0{readings}" if readings else ""
    return hashlib.sha256(f"{file}\0{content_hash}{again}".encode()).hexdigest()[:16]


class Ledger:
    """An open ledger. While it is open no other process can open it: one loader at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def looks(self) -> dict[str, Look]:
        """The last look at each file."""
        return {look.file: look for look in self._read(Look, "looks")}

    def loads(self) -> dict[str, Load]:
        """All versions by `load_id`."""
        loads = self._read(Load, "loads")
        return {
            load.load_id: Load(
                **{
                    **vars(load),
                    "columns": tuple(load.columns),
                    "new_columns": tuple(load.new_columns),
                }
            )
            for load in loads
        }

    def readings(self) -> dict[str, int]:
        """How often each file was asked for to be read again; others never were."""
        return dict(self._connection.execute("select file, readings from readings").fetchall())

    def read_again(self, files: Sequence[str]) -> None:
        """Have the next run read these files as if they had another content, all or none."""
        readings = self.readings()
        _insert(
            self._connection,
            "insert or replace into readings",
            [{"file": file, "readings": readings.get(file, 0) + 1} for file in files],
        )

    def latest_deliveries(self) -> dict[str, str]:
        """The `load_id` of the latest delivery of each file."""
        rows = self._connection.execute(
            "select file, load_id from deliveries order by delivery_number"
        ).fetchall()
        return dict(rows)

    def delivered_loads(self) -> list[Load]:
        """The versions that were accepted, by when they were delivered last."""
        loads = self.loads()
        rows = self._connection.execute(
            "select load_id from deliveries group by load_id order by max(delivery_number)"
        ).fetchall()
        return [loads[load_id] for (load_id,) in rows if loads[load_id].is_loaded]

    def deliveries(self) -> list[tuple[str, str]]:
        """File and content hash of each delivery, in the order of finding."""
        return self._connection.execute(
            """
            select loads.file, loads.content_hash
            from deliveries
            join loads on loads.load_id = deliveries.load_id
            order by deliveries.delivery_number
            """
        ).fetchall()

    def suppression_hashes(self) -> int:
        """How many hashes the list of who was forgotten had in the last run."""
        found = self._connection.execute(
            "select coalesce(max(hashes), 0) from suppression_list"
        ).fetchone()
        assert found
        return int(found[0])

    def remember_suppression_hashes(self, hashes: int) -> None:
        """Have it known by the next run."""
        if hashes != self.suppression_hashes():
            self._connection.execute(
                "begin; delete from suppression_list; "
                f"insert into suppression_list values ({hashes}); commit"
            )

    def commit(
        self,
        run_id: str,
        now: datetime,
        *,
        looks: Sequence[Look] = (),
        seen: Sequence[str] = (),
        loads: Sequence[Load] = (),
        delivered: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Write what a run found out about one source, all of it or nothing.

        Args:
            run_id: the run.
            now: the instant of the run, UTC.
            looks: files whose content was hashed.
            seen: `load_id` of versions that were found; their first sighting is kept.
            loads: versions that were accepted or refused; a refused one may be accepted later.
            delivered: `load_id` and file, in order, of versions that became current.
        """
        connection = self._connection
        connection.begin()
        try:
            _insert(connection, "insert or replace into looks", [vars(look) for look in looks])
            _insert(
                connection,
                "insert or ignore into sightings",
                [{"load_id": seen_id, "first_seen_at": now} for seen_id in seen],
            )
            _insert(connection, "insert or replace into loads", [vars(load) for load in loads])
            counted = connection.execute("select count(*) from deliveries").fetchone()
            assert counted
            _insert(
                connection,
                "insert into deliveries",
                [
                    {
                        "delivery_number": number,
                        "load_id": delivered_id,
                        "file": file,
                        "found_at": now,
                        "run_id": run_id,
                    }
                    for number, (delivered_id, file) in enumerate(delivered, start=counted[0] + 1)
                ],
            )
            connection.commit()
        except BaseException:
            connection.rollback()
            raise

    def _read(self, kind: type[Any], table: str) -> Iterator[Any]:
        names = ", ".join(field.name for field in fields(kind))
        rows = self._connection.execute(f"select {names} from {table}").fetchall()
        return (kind(*row) for row in rows)


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Open the ledger, made if there is none, and keep others out of it.

    Raises:
        LedgerError: if another process has it open, or it is not a ledger.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(str(path))
    except duckdb.IOException as error:
        raise LedgerError(
            f"{path}: expected a ledger that no other run has open, found: {error}. "
            "Wait for the other run to end; if there is none, restore the file from a backup."
        ) from error
    try:
        connection.execute(TABLES)
        yield Ledger(connection)
    finally:
        connection.close()


def _insert(
    connection: duckdb.DuckDBPyConnection, statement: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows in one statement; row by row DuckDB takes a millisecond for each."""
    if not rows:
        return
    names = list(rows[0])
    table = statement.split()[-1]
    types = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() where table_name = ?", [table]
        ).fetchall()
    )
    columns = ", ".join(f"unnest(cast(? as {types[name]}[])) as {name}" for name in names)
    values = [[_plain(row[name]) for row in rows] for name in names]
    connection.execute(f"{statement} ({', '.join(names)}) select {columns}", values)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
