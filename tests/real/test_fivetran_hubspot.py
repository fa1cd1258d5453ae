"""HubSpot in the layout that Fivetran delivers: its own test data, values hashed.

The figures are counted in the files by Python's csv module.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.staging import build_staging, declare
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

NIGHT = datetime(2024, 6, 1, 2, tzinfo=UTC)
# Delivered and not read, apart from properties.
NOT_READ = {
    "_fivetran_active",  # the latest stage is known by its instant
    "_fivetran_end",  # 2050-01-01 where it goes on
    "_fivetran_synced",  # of histories, whose rows have no versions
    "active",
    "active_user_id",
    "category",
    "created_at",  # of pipelines
    "display_order",
    "engagement_type",
    "portal_id",
    "source",
    "source_id",
    "type",
    "type_id",
    "updated_at",
}


@pytest.fixture(scope="module")
def files(extracts: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each delivered table."""
    folder = extracts / "fivetran_seeds" / "hubspot"
    if not folder.is_dir():
        pytest.skip(f"needs Fivetran's test data, found no {folder}")
    rows = {}
    for path in folder.glob("*_data.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows[path.stem.removesuffix("_data")] = list(csv.DictReader(file))
    return rows


@pytest.fixture(scope="module")
def staged(
    extracts: Path,
    files: dict[str, list[dict[str, str]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tables]:
    """The staging layer of these files."""
    folder = tmp_path_factory.mktemp("fivetran_hubspot")
    for table in files:
        (folder / "landing" / "hubspot" / table).mkdir(parents=True)
        shutil.copy(
            extracts / "fivetran_seeds" / "hubspot" / f"{table}_data.csv",
            folder / "landing" / "hubspot" / table,
        )
    # By its name the source is of the system.
    declare(folder / "seeds", {"hubspot": ""})
    tables = build_staging(folder, [NIGHT])
    yield tables
    tables.close()


def count(tables: Tables, table: str, condition: str = "true") -> int:
    [(rows,)] = tables.query(f"select count(*) from staging.stg_{table} where {condition}")
    return int(rows)


def test_no_row_is_refused(staged: Tables, files: dict[str, list[dict[str, str]]]) -> None:
    """Prevents hours of one digit, ends of time and empty stages from being taken for faults."""
    assert staged.query("select * from raw.quarantined_rows") == []
    assert staged.query("select * from staging.stg_quarantined_rows") == []
    loaded = dict(staged.query("select table_name, rows_loaded from raw.loads"))
    assert loaded == {table: len(rows) for table, rows in files.items()}


def test_every_column_is_read_or_known_not_to_be(staged: Tables) -> None:
    """Prevents a column that tells something from being passed over."""
    new = {
        column
        for (columns,) in staged.query("select new_columns from raw.loads")
        for column in (columns or "").split(",")
        if column and not column.startswith("property_")
    }
    assert new == NOT_READ


def test_every_row_arrives(staged: Tables, files: dict[str, list[dict[str, str]]]) -> None:
    """Prevents look-ups from dropping or doubling rows."""
    assert count(staged, "records", "record_type = 'opportunity'") == len(files["deal"])
    # Contacts are leads where they have a lifecycle stage, and these do not tell of one.
    assert not any("property_lifecyclestage" in row for row in files["contact"])
    assert count(staged, "records", "record_type = 'lead'") == 0
    assert count(staged, "contacts") == len(files["contact"])
    assert count(staged, "accounts") == len(files["company"])
    assert count(staged, "owners") == len(files["owner"])
    assert count(staged, "stage_changes") == len(files["deal_stage"])
    # The names of the properties are hashed: none is known to be a stage.
    names = {row["name"] for row in files["deal_property_history"]}
    assert not names & {"dealstage", "createdate", "dealname"}
    assert count(staged, "field_changes") == len(files["deal_property_history"])


def test_rows_that_stand_for_details_are_no_activities(
    staged: Tables, files: dict[str, list[dict[str, str]]]
) -> None:
    """Prevents an activity without an instant from filling the quarantine each night."""
    assert [set(row) for row in files["engagement"]] == [
        {"id", "type", "_fivetran_synced", "portal_id"}
    ]
    assert count(staged, "activities") == 0


def test_merges_are_found_among_what_was_delivered(
    staged: Tables, files: dict[str, list[dict[str, str]]]
) -> None:
    """Prevents merged contacts from counting beside their survivor."""
    contacts = {row["id"] for row in files["contact"]}
    expected = {
        (f"hubspot:{merged}", f"hubspot:{row['id']}")
        for row in files["contact"]
        for merged in row["property_hs_merged_object_ids"].split(";")
        if merged in contacts
    }
    assert len(expected) == 3
    assert (
        set(
            staged.query(
                "select contact_id, merged_into_id from staging.stg_contacts"
                " where merged_into_id is not null"
            )
        )
        == expected
    )
    deals = {row["deal_id"] for row in files["deal"]}
    merged_deals = {row["merged_deal_id"] for row in files["merged_deal"]}
    assert count(
        staged, "records", "record_type = 'opportunity' and merged_into_id is not null"
    ) == len(merged_deals & deals)


def test_deals_keep_their_instants_and_owners(
    staged: Tables, files: dict[str, list[dict[str, str]]]
) -> None:
    """Prevents a shift by a time zone, and an id that lost its digits."""
    found = staged.query(
        "select record_id, strftime(created_at, '%Y-%m-%d %H:%M:%S'), owner_id"
        " from staging.stg_records where record_type = 'opportunity'"
    )
    assert set(found) == {
        (
            f"hubspot:{row['deal_id']}",
            row["property_createdate"],
            f"hubspot:{row['owner_id']}" if row["owner_id"] else None,
        )
        for row in files["deal"]
    }


def test_stages_are_entered_when_the_files_say(
    staged: Tables, files: dict[str, list[dict[str, str]]]
) -> None:
    """Prevents hours of one digit from being read as others, and unknown stages from being lost."""
    labels = {row["stage_id"]: row["label"] for row in files["deal_pipeline_stage"]}
    expected = set()
    for row in files["deal_stage"]:
        day, clock = row["date_entered"].split(" ")
        hours, minutes, seconds = map(int, clock.split(":"))
        expected.add(
            (
                f"hubspot:{row['deal_id']}",
                labels.get(row["value"], row["value"]),
                f"{day} {hours:02}:{minutes:02}:{seconds:02}",
            )
        )
    found = staged.query(
        "select record_id, stage, strftime(changed_at, '%Y-%m-%d %H:%M:%S')"
        " from staging.stg_stage_changes"
    )
    assert set(found) == expected
