"""Where Dagster keeps the events of its runs: in SQLite as by its own default, but left open.

By default Dagster opens and closes a database for each event, and every closing waits for the disk.
A night has some two thousand events, which took longer than all its models.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData

# There is one for each run, and one about all of them. A user interface looks at many runs, and a
# process may have a thousand files open.
MOST_OPEN = 16


class EventLog(SqliteEventLogStorage):
    """Dagster's event log, with one connection for each database instead of one for each event."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Any] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> EventLog:
        """The event log that `dagster.yaml` describes."""
        return cls(inst_data=inst_data, **config_value)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event, and let those know who watch its run."""
        super().store_event(event)
        # They watch this file, while what is new waits in the log that SQLite keeps beside it.
        os.utime(self.path_for_shard(event.run_id))

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Any]:
        with self._db_lock, self._engine(shard).begin() as connection:
            yield connection

    def _engine(self, shard: str) -> Any:
        if shard not in self._engines:
            if len(self._engines) == MOST_OPEN:
                self._close_all()
            engine = sqlalchemy.create_engine(
                self.conn_string_for_shard(shard),
                connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
            )
            sqlalchemy.event.listen(engine, "connect", _wait_for_no_disk)
            self._initdb(engine)
            self._engines[shard] = engine
        return self._engines[shard]

    def _close_all(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()

    def dispose(self) -> None:
        """Close what is open."""
        self._close_all()
        super().dispose()


def _wait_for_no_disk(connection: Any, _: object) -> None:
    """A power cut may then lose the last events of a run, but damages none."""
    connection.execute("pragma synchronous = normal")
