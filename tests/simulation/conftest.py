"""Simulated companies for all tests here, with and without dirt, their reader, and a warehouse."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.dbt import PROJECT
from simulation.company import generate
from simulation.parameters import CLEAN, Parameters, Planted
from tests.support.tables import Tables
from tests.support.warehouse import build_warehouse

# Those of the shipped funnels that estimates are held against the truth of.
FUNNELS = ("web_purchase", "lead_qualification", "sales_pipeline", "growth_aarrr")
# The first and last day of the experiments of the company with a warehouse.
TRIAL = ("2025-03-03", "2025-04-27")
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


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tables, dict[str, Any]]]:
    """The tables of a company in which all is planted that is to be found, and what is true of it.

    Its last seven mature days are those of the incident.
    """
    folder = tmp_path_factory.mktemp("company")
    landing, seeds = folder / "landing", folder / "seeds"
    first_day, last_day = TRIAL
    usual = Planted()
    planted = replace(
        usual,
        campaign=("2025-08-01", "2025-08-31"),
        search_odds=2.0,
        incident=replace(usual.incident, first_day="2025-09-19", last_day="2025-09-25"),
        experiments={
            name: replace(one, first_day=first_day, last_day=last_day)
            for name, one in usual.experiments.items()
        },
    )
    generate(
        landing,
        start=date(2025, 1, 6),
        days=270,
        seed=11,
        parameters=Parameters(visitors_per_day=120, planted=planted, dirt=CLEAN),
    )
    _declare_some(seeds)
    tables = Tables(build_warehouse(landing, seeds, folder / "home", with_tests=False))
    truth = json.loads((landing / "_simulation" / "parameters.json").read_text(encoding="utf-8"))
    yield tables, truth["expected"]
    tables.close()


def _declare_some(seeds: Path) -> None:
    """The shipped declarations, of some funnels alone."""
    shutil.copytree(PROJECT / "seeds", seeds)
    for file in seeds.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
        if rows and "funnel_id" in rows[0]:
            kept = [row for row in rows if row["funnel_id"] in ("", *FUNNELS)]
            with file.open("w", encoding="utf-8", newline="") as opened:
                writer = csv.DictWriter(opened, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows(kept)
    experiments = (seeds / "experiments.csv").read_text(encoding="utf-8")
    for shipped, own in zip(("2025-09-08", "2025-11-02"), TRIAL, strict=True):
        experiments = experiments.replace(shipped, own)
    (seeds / "experiments.csv").write_text(experiments, encoding="utf-8")
