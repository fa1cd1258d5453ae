"""What stays of rows that repeat, against the rule written down in Python, over random deliveries.

The rules by hand, one at a time, are the unit tests beside the models.
"""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration import dbt, declarations
from orchestration.raw_views import create_raw_views
from orchestration.settings import Settings
from tests.support.tables import Tables
from tests.support.warehouse import load_night

pytestmark = pytest.mark.slow

Row = dict[str, str]
# By the file that they are delivered in.
Deliveries = dict[str, list[Row]]

NIGHT = datetime(2024, 6, 1, 2, tzinfo=UTC)
FILES = ("a.csv", "b.csv", "c.csv", "d.csv")
STAGING = ("events", "records", "stage_changes", "quarantined_rows", "row_counts")


def random_deliveries(seed: int) -> dict[str, Deliveries]:
    """Deliveries by table, of so few values that keys and contents meet all the time."""
    chance = random.Random(seed)

    def event() -> Row:
        return {
            "event_id": chance.choice(["", f"E{chance.randrange(60)}"]),
            "occurred_at": f"2024-05-{chance.randint(1, 3):02} 10:00:00",
            "event_name": chance.choice(["cart", "visit"]),
            "user_id": f"U{chance.randrange(9)}",
            "plan": chance.choice(["", "pro"]),
        }

    def record() -> Row:
        return {
            "record_id": f"R{chance.randrange(80)}",
            "stage": chance.choice(["New", "New", "New", "Won"]),
            "updated_at": f"2024-05-{chance.randint(1, 4):02}",
            "size": chance.choice(["", "", "", "big"]),
        }

    def stage_change() -> Row:
        return {
            "record_id": f"R{chance.randrange(80)}",
            "stage": chance.choice(["New", "Won"]),
            "changed_at": f"2024-05-{chance.randint(1, 4):02}",
        }

    return {
        "events": {file: [event() for _ in range(300)] for file in FILES},
        "records": {file: [record() for _ in range(60)] for file in FILES},
        "stage_changes": {file: [stage_change() for _ in range(300)] for file in FILES},
    }


def shuffled(deliveries: dict[str, Deliveries], seed: int) -> dict[str, Deliveries]:
    """The same files under each other's names, their rows in another order."""
    chance = random.Random(seed)
    other: dict[str, Deliveries] = {}
    for table, files in deliveries.items():
        names = chance.sample(list(files), len(files))
        other[table] = {
            name: chance.sample(rows, len(rows))
            for name, rows in zip(names, files.values(), strict=True)
        }
    return other


def stage(folder: Path, deliveries: dict[str, Deliveries]) -> Tables:
    """Load the deliveries and build and test the staging layer alone."""
    landing, seeds, home = folder / "landing", folder / "seeds", folder / "home"
    for table, files in deliveries.items():
        for file, rows in files.items():
            write(landing / "crm" / table / file, rows)
    for name, rows in declared().items():
        write(seeds / f"{name}.csv", rows)
    load_night(landing, seeds, home, NIGHT)
    settings = Settings.from_environment(
        {"FUNNEL_LANDING": str(landing), "FUNNEL_SEEDS": str(seeds), "FUNNEL_HOME": str(home)}
    )
    create_raw_views(settings, declarations.read(seeds).sources)
    selected = ["--select", *dbt.LAYERS[0].select, "--indirect-selection", "buildable"]
    outcome = dbt.run(settings, ["build", *selected, *dbt.common_arguments(settings)])
    assert outcome.results
    assert not outcome.failures, [failure.message for failure in outcome.failures]
    return Tables(settings.build)


def declared() -> dict[str, list[Row]]:
    """The smallest declarations that are accepted."""
    return {
        "sources": [{"source": "crm", "is_enabled": "true"}],
        "funnels": [
            {
                "funnel_id": "sales",
                "funnel_name": "Sales",
                "subject_type": "opportunity",
                "order_mode": "furthest",
            }
        ],
        "funnel_stages": [
            {
                "funnel_id": "sales",
                "stage_position": "1",
                "stage_id": "new",
                "stage_name": "New",
                "stage_kind": "open",
            },
            {
                "funnel_id": "sales",
                "stage_position": "2",
                "stage_id": "won",
                "stage_name": "Won",
                "stage_kind": "won",
            },
        ],
        "stage_rules": [
            {
                "funnel_id": "sales",
                "stage_id": stage_id,
                "rule_type": "opportunity_stage",
                "match_type": "equals",
                "match_value": stage_id.title(),
            }
            for stage_id in ("new", "won")
        ],
    }


def write(path: Path, rows: Sequence[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


DELIVERIES = random_deliveries(seed=20240601)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    tables = stage(tmp_path_factory.mktemp("staged"), DELIVERIES)
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def staged_otherwise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    tables = stage(tmp_path_factory.mktemp("otherwise"), shuffled(DELIVERIES, seed=7))
    yield tables
    tables.close()


def test_events_without_an_id_stay_as_often_as_in_the_file_with_most(staged: Tables) -> None:
    """Prevents an overlap of files from counting twice, and a true repetition from being lost."""
    most: Counter[tuple[str, ...]] = Counter()
    for rows in DELIVERIES["events"].values():
        contents = Counter(tuple(row.values()) for row in rows if not row["event_id"])
        most |= contents
    expected = Counter(
        {(row[1], row[2], row[3], row[4]): count for row, count in most.items()},
    )

    found = staged.query(
        """
        select
            strftime(occurred_at, '%Y-%m-%d %H:%M:%S'),
            event_name,
            user_id,
            coalesce(json_extract_string(properties, '$.plan'), ''),
            count(*)
        from staging.stg_events
        where event_id is null
        group by all
        """
    )
    assert len(found) > 50
    assert Counter({row[:4]: row[4] for row in found}) == expected


def test_of_events_with_one_id_the_first_by_content_stays(staged: Tables) -> None:
    """Prevents a key from counting twice, or by whichever file is read first."""
    expected: dict[str, tuple[str, str]] = {}
    for rows in DELIVERIES["events"].values():
        for row in rows:
            if row["event_id"]:
                content = (row["occurred_at"], row["event_name"])
                expected[row["event_id"]] = min(content, expected.get(row["event_id"], content))

    found = staged.query(
        """
        select event_id, strftime(occurred_at, '%Y-%m-%d %H:%M:%S'), event_name
        from staging.stg_events
        where event_id is not null
        """
    )
    assert len(found) == len(expected)
    assert {row[0]: row[1:] for row in found} == expected


def test_the_latest_version_that_nothing_contradicts_stays(staged: Tables) -> None:
    """Prevents the order of files from deciding between two states of one instant."""
    contents: dict[str, dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for rows in DELIVERIES["records"].values():
        for row in rows:
            contents[row["record_id"]][row["updated_at"]].add((row["stage"], row["size"]))
    expected, conflicts = {}, 0
    for record_id, versions in contents.items():
        conflicts += sum(len(those) for those in versions.values() if len(those) > 1)
        sound = [updated_at for updated_at, those in versions.items() if len(those) == 1]
        if sound:
            ((stage_text, _),) = versions[max(sound)]
            expected[f"crm:{record_id}"] = (max(sound), stage_text)
    assert conflicts > 50
    assert len(contents) > len(expected) > 20

    found = staged.query(
        """
        select record_id, strftime(updated_at, '%Y-%m-%d'), stage
        from staging.stg_records
        """
    )
    assert {row[0]: row[1:] for row in found} == expected
    quarantined = staged.query(
        """
        select reason, count(*) from staging.stg_quarantined_rows group by all
        """
    )
    assert quarantined == [("key_conflict", conflicts)]


def test_a_stage_change_stands_once(staged: Tables) -> None:
    """Prevents overlapping exports of a history from making visits that never were."""
    expected = {
        (f"crm:{row['record_id']}", row["stage"], row["changed_at"])
        for rows in DELIVERIES["stage_changes"].values()
        for row in rows
    }
    found = staged.query(
        """
        select record_id, stage, strftime(changed_at, '%Y-%m-%d')
        from staging.stg_stage_changes
        """
    )
    assert len(found) == len(expected)
    assert set(found) == expected


def test_every_delivered_row_is_accounted_for(staged: Tables) -> None:
    """Prevents rows from getting lost between what was delivered and what is counted."""
    found = staged.query(
        """
        select
            table_name,
            rows_delivered,
            rows_kept + rows_repeated
            + rows_quarantined_at_loading + rows_quarantined_in_staging
        from staging.stg_row_counts
        order by table_name
        """
    )
    assert found == [
        ("events", 1200, 1200),
        ("records", 240, 240),
        ("stage_changes", 1200, 1200),
    ]


@pytest.mark.parametrize("table", STAGING)
def test_the_order_of_rows_and_files_decides_nothing(
    staged: Tables, staged_otherwise: Tables, table: str
) -> None:
    """Prevents two deliveries of the same facts from giving different tables."""
    columns = [
        column
        for column in staged.columns(f"staging.stg_{table}")
        if column not in ("source_file", "source_row")
    ]
    query = f"select {', '.join(columns)} from staging.stg_{table} order by all"
    rows = staged.query(query)
    assert rows
    assert rows == staged_otherwise.query(query)
