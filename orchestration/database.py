"""How a DuckDB is opened that is to do work of any size: within the memory it may have."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.settings import Settings


def open_database(
    settings: Settings, path: Path | None = None, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """Open a database, or one without data of its own, that spills where memory does not do.

    The options are given with the opening: once something was spilled, DuckDB lets no connection
    set the folder again.
    """
    return duckdb.connect(
        str(path or ":memory:"), read_only=read_only, config={**settings.database_options}
    )
