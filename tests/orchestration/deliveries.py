"""A tiny company that delivers files, for the tests of loading: write, load, look at the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from orchestration.declarations import Source
from orchestration.raw import LoadSummary, load_landing
from orchestration.raw_views import create_raw_views
from orchestration.settings import Settings

CRM = Source("crm", is_enabled=True, system="generic", timezone="UTC", event_time="occurred")
WEB = Source("web", is_enabled=True, system="generic", timezone="UTC", event_time="occurred")
FIRST_NIGHT = datetime(2024, 3, 1, 2)
SECOND_NIGHT = datetime(2024, 3, 2, 2)
THIRD_NIGHT = datetime(2024, 3, 3, 2)

EVENTS_HEADER = "occurred_at,event_name,user_id\n"
ONE_EVENT = EVENTS_HEADER + "2024-02-01 10:00:00,visit,u1\n"


class Company:
    """Two sources, `crm` and `web`, whose files and state lie in one folder."""

    def __init__(self, folder: Path, sources: Sequence[Source] = (CRM, WEB)) -> None:
        self.landing = folder / "landing"
        self.landing.mkdir(parents=True)
        self.sources = sources
        self.settings = Settings.from_environment(
            {"FUNNEL_LANDING": str(self.landing), "FUNNEL_HOME": str(folder / "home")}
        )

    def deliver(self, file: str, content: str | bytes) -> Path:
        """Put a file into the landing, over one that lies there."""
        path = self.landing / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(
        self, now: datetime = FIRST_NIGHT, progress: Callable[[str], None] = lambda _: None
    ) -> LoadSummary:
        """One night of loading, and the views made anew."""
        run_id = f"night of {now:%Y-%m-%d}"
        summary = load_landing(self.settings, self.sources, now, run_id, progress)
        create_raw_views(self.settings, self.sources)
        return summary

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of the build."""
        with duckdb.connect(str(self.settings.build), read_only=True) as connection:
            return connection.execute(statement).fetchall()

    def quarantine(self) -> list[tuple[Any, ...]]:
        """File, row, column, reason and text of all quarantined rows."""
        return self.query(
            """
            select file, row_number, column_name, reason, text
            from raw.quarantined_rows
            order by all
            """
        )

    def error(self, summary: LoadSummary, source: str = "crm") -> str:
        """The message of the one error of a source."""
        (error,) = summary.errors[source]
        return str(error)
