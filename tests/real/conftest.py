"""Finds the real extracts, makes generic ones of them, and builds one warehouse."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.support.tables import Tables
from tests.support.warehouse import build_warehouse

REPOSITORY = Path(__file__).parents[2]
NEEDED = ("maven_crm/sales_pipeline.csv", "simple_onlineshop/events.csv.gz")

# Columns are renamed, nothing else, as docs/onboard-a-source.md teaches.
RENAME = """
copy (
    select
        opportunity_id as record_id,
        deal_stage as stage,
        engage_date as created_at,
        close_date as closed_at,
        close_value as amount,
        sales_agent as owner_id,
        account as account_id,
        product,
    from read_csv('{extracts}/maven_crm/sales_pipeline.csv', all_varchar = true)
) to '{landing}/maven/records/sales_pipeline.csv' (header);

copy (
    select
        sales_agent as owner_id,
        regional_office as team,
        manager as manager_id,
    from read_csv('{extracts}/maven_crm/sales_teams.csv', all_varchar = true)
) to '{landing}/maven/owners/sales_teams.csv' (header);

copy (
    select
        user_id,
        event as event_name,
        "timestamp" as occurred_at,
    from read_csv('{extracts}/simple_onlineshop/events.csv.gz', all_varchar = true)
) to '{landing}/onlineshop/events/events.csv.gz' (header);
"""

SEEDS = {
    "sources": """
        source
        maven
        onlineshop
    """,
    "funnels": """
        funnel_id,subject_type,order_mode,entry_policy,window_hours,tie_policy
        deals,opportunity,furthest,,,
        shop_visited,user,furthest,,,funnel_order
        shop_ordered,user,ordered,best,,funnel_order
        shop_in_a_day,user,ordered,best,24,funnel_order
    """,
    "funnel_stages": """
        funnel_id,stage_position,stage_id,stage_kind
        deals,1,prospecting,open
        deals,2,engaging,open
        deals,3,won,won
        deals,,lost,lost
        shop_visited,1,catalog,open
        shop_visited,2,cart,open
        shop_visited,3,payment_done,won
        shop_ordered,1,catalog,open
        shop_ordered,2,cart,open
        shop_ordered,3,payment_done,won
        shop_in_a_day,1,catalog,open
        shop_in_a_day,2,cart,open
        shop_in_a_day,3,payment_done,won
    """,
    "stage_rules": """
        funnel_id,stage_id,rule_type,match_value
        deals,prospecting,opportunity_stage,Prospecting
        deals,engaging,opportunity_stage,Engaging
        deals,won,opportunity_stage,Won
        deals,lost,opportunity_stage,Lost
        shop_visited,catalog,event,catalog
        shop_visited,cart,event,cart
        shop_visited,payment_done,event,payment_done
        shop_ordered,catalog,event,catalog
        shop_ordered,cart,event,cart
        shop_ordered,payment_done,event,payment_done
        shop_in_a_day,catalog,event,catalog
        shop_in_a_day,cart,event,cart
        shop_in_a_day,payment_done,event,payment_done
    """,
    "segments": """
        segment_name,subject_type,attribute
        product,opportunity,product
    """,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs the warehouse, so that it can be left out."""
    for item in items:
        if "real_warehouse" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def extracts() -> Path:
    """The folder of the extracts; skips the test where there is none."""
    folder = Path(os.environ.get("FUNNEL_TEST_EXTRACTS", REPOSITORY.parent / "shared" / "data"))
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        pytest.skip(
            f"needs real extracts, found no {', '.join(missing)} in {folder};"
            " set FUNNEL_TEST_EXTRACTS to the folder that holds them"
        )
    return folder


@pytest.fixture(scope="session")
def real_warehouse(extracts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The tables that were built of both extracts."""
    folder = tmp_path_factory.mktemp("real")
    landing, seeds = folder / "landing", folder / "seeds"
    for table in ("maven/records", "maven/owners", "onlineshop/events"):
        (landing / table).mkdir(parents=True)
    duckdb.connect().execute(RENAME.format(extracts=extracts, landing=landing))
    seeds.mkdir()
    for name, text in SEEDS.items():
        rows = csv.reader(line.strip() for line in text.strip().splitlines())
        with (seeds / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    tables = Tables(build_warehouse(landing, seeds, folder / "home"))
    yield tables
    tables.close()
