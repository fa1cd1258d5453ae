"""A plugin of dbt-duckdb: tells each connection of dbt the secret for keyed hashes.

In a variable of the connection, so that it stands neither in compiled SQL nor in a log.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from orchestration.hash_key import read_key, variables


@dataclass(frozen=True)
class _FromEnvironment:
    hash_key: str
    hash_key_file: Path


class Plugin(BasePlugin):
    """What `profiles.yml` names."""

    def configure_cursor(self, cursor: Any) -> None:
        """Tell a new connection the secret."""
        home = os.environ.get("FUNNEL_HOME") or "warehouse"
        key = read_key(
            _FromEnvironment(
                os.environ.get("FUNNEL_HASH_KEY", ""),
                Path(os.environ.get("FUNNEL_HASH_KEY_FILE") or Path(home, "hash_key")),
            )
        )
        cursor.execute(variables(key))
