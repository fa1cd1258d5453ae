"""Two simulated companies for all tests here, one with dirt and one without, and their reader."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from simulation.company import generate
from simulation.parameters import CLEAN, Parameters

READERS = {
    "events": "read_parquet('{}/*.parquet', filename = true)",
    "records": "read_csv('{}/*.csv', all_varchar = true, filename = true)",
    "stage_changes": "read_csv('{}/*.csv.gz', all_varchar = true, filename = true)",
    "field_changes": "read_csv('{}/*.csv', all_varchar = true, filename = true)",
    "orders": "read_ndjson('{}/*.jsonl', columns = {{order_id: 'varchar', ordered_at: 'varchar', "
    "amount: 'varchar', currency: 'varchar', user_id: 'varchar', account_id: 'varchar', "
    "status: 'varchar', updated_at: 'varchar'}}, filename = true)",
    "activities": "read_ndjson('{}/*.jsonl.gz', filename = true)",
    "accounts": "read_csv('{}/*.csv', all_varchar = true, filename = true)",
    "contacts": "read_parquet('{}/*.parquet', filename = true)",
    "owners": "read_csv('{}/*.csv.gz', all_varchar = true, filename = true)",
}


class Extracts:
    """The extracts of a landing as tables of a database, each with the `filename` of its rows."""

    def __init__(self, landing: Path) -> None:
        self.truth: dict[str, Any] = json.loads(
            (landing / "_simulation" / "parameters.json").read_text(encoding="utf-8")
        )
        self._connection = duckdb.connect()
        self._connection.execute("set TimeZone = 'UTC'")
        for table, reader in READERS.items():
            files = reader.format(landing / "generic" / table)
            self._connection.execute(f"create table {table} as select * from {files}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.sql(query).fetchall()

    def value(self, query: str) -> Any:
        """The only value of a query."""
        ((value,),) = self.rows(query)
        return value


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Extracts:
    """A company with all its dirt, over the change of clocks and the renaming of a stage."""
    landing = tmp_path_factory.mktemp("dirty")
    generate(
        landing,
        start=date(2025, 9, 1),
        days=110,
        seed=3,
        parameters=Parameters(visitors_per_day=200),
    )
    return Extracts(landing)


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Extracts:
    """A company without dirt, for long enough that its early histories are over."""
    landing = tmp_path_factory.mktemp("clean")
    generate(
        landing,
        start=date(2025, 1, 6),
        days=360,
        seed=5,
        parameters=Parameters(visitors_per_day=150, dirt=CLEAN),
    )
    return Extracts(landing)
