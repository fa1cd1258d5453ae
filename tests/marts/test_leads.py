"""Classes and scores of leads at random, against what plain Python makes of them."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

AS_OF = datetime(2025, 7, 1)
MODELS = (
    *("int_journey_attributes", "lead_qualification", "lead_qualification_classes"),
    *("int_lead_score_journeys", "int_lead_score_values", "lead_score_points", "int_lead_scores"),
    *("lead_score", "lead_score_evaluation"),
)
# How much likelier each region and size makes a win; and where nothing but chance is.
REGIONS = {"north": 0.25, "south": 0.0, "west": -0.1}
SIZES = {"1": -0.1, "10": 0.0, "100": 0.2}
RULES = (
    (1, "sales", "money", "size", "equals", "1", "absent"),
    (2, "sales", "money", "size", "prefix", "1", "present"),
    (3, "sales", "authority", "region", "regex", "^(north|south)$", "present"),
    (4, "sales", "authority", "region", "regex", "e", "absent"),
    (5, "sales", "need", "size", "regex", "0$", "present"),
)


@dataclass(frozen=True)
class Lead:
    """A lead; its size may have changed after it came, `size` is the present one."""

    lead_id: str
    entered_at: datetime
    outcome: str
    region: str | None
    size_at_entry: str
    size: str
    changed_at: datetime | None

    @property
    def is_mature(self) -> bool:
        """Whether it came before May."""
        return self.entered_at < datetime(2025, 5, 1)

    @property
    def key(self) -> tuple[str, str]:
        """What it is scored by."""
        return (self.region or "(missing)", self.size_at_entry)


def _leads(seed: int, number: int) -> Iterator[Lead]:
    chance = random.Random(seed)
    for place in range(number):
        entered_at = AS_OF - timedelta(minutes=chance.randrange(1, 180 * 24 * 60))
        region = chance.choice((*REGIONS, None))
        size = chance.choice(tuple(SIZES))
        likely = 0.3 + REGIONS.get(region or "", 0) + SIZES[size]
        won = chance.random() < likely
        # Who is won has his size filled in: it would foretell all, were it not for the history.
        changed_at = entered_at + timedelta(days=1) if won else None
        yield Lead(
            f"l{place}",
            entered_at,
            "won" if won else chance.choice(("lost", "open")),
            region,
            size,
            "100" if won else size,
            changed_at,
        )


def _write(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, Any]) -> None:
    connection.register("written", pa.table(columns))
    connection.execute(f"create table {table} as from written")
    connection.unregister("written")


def _seed(
    connection: duckdb.DuckDBPyConnection, table: str, header: str, rows: Sequence[Any]
) -> None:
    _write(
        connection,
        f"declarations.{table}",
        dict(zip(header.split(), map(list, zip(*rows, strict=True)), strict=True)),
    )


@pytest.fixture(scope="module")
def leads() -> list[Lead]:
    """Leads at random."""
    return list(_leads(seed=20250701, number=900))


@pytest.fixture(scope="module")
def tables(leads: list[Lead], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The tables that are built of them."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("leads"))})
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    declarations.write_empty(settings.declarations)
    with duckdb.connect(str(settings.build)) as connection:
        for schema in ("core", "intermediate", "declarations"):
            connection.execute(f"create schema {schema}")
        connection.execute(
            "create table intermediate.int_run as select cast(? as timestamp) as as_of", [AS_OF]
        )
        connection.execute(
            "create table core.dim_funnels as select 'sales' as funnel_id, 'lead' as subject_type"
        )
        _write_leads(connection, leads)
        connection.execute(
            "create table core.dim_segments (funnel_id varchar, segment_name varchar,"
            " taken_at varchar, value_known varchar);"
            "create table core.fct_journey_segments (funnel_id varchar, subject_id varchar,"
            " journey_number integer, segment_name varchar, segment_value varchar);"
            "create table core.dim_sessions (visitor_id varchar, user_id varchar,"
            " started_at timestamp)"
        )
        _seed(
            connection,
            "qualification_rules",
            "rule_position funnel_id dimension attribute match_type match_value finding",
            RULES,
        )
        _seed(
            connection,
            "lead_score_features",
            "funnel_id feature_type feature_name is_fixed",
            [("sales", "attribute", "region", True), ("sales", "attribute", "size", False)],
        )
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", *MODELS),
            *("--exclude-resource-types", "unit_test"),
            *("--indirect-selection", "cautious"),
            *dbt.common_arguments(settings),
        ],
    )
    assert not outcome.failures, "\n".join(outcome.failure_lines)
    tables = Tables(settings.build)
    yield tables
    tables.close()


def _write_leads(connection: duckdb.DuckDBPyConnection, leads: list[Lead]) -> None:
    number = len(leads)
    _write(
        connection,
        "core.fct_journeys",
        {
            "funnel_id": ["sales"] * number,
            "subject_id": [lead.lead_id for lead in leads],
            "journey_number": pa.array([1] * number, pa.int32()),
            "outcome": [lead.outcome for lead in leads],
            "was_won": [lead.outcome == "won" for lead in leads],
            "is_mature": [lead.is_mature for lead in leads],
            "entered_date": [lead.entered_at.date() for lead in leads],
            "entered_at": [lead.entered_at for lead in leads],
        },
    )
    _write(
        connection,
        "intermediate.int_surviving_records",
        {
            "record_id": [lead.lead_id for lead in leads],
            "record_type": ["lead"] * number,
            "attributes": [
                f'{{"size": "{lead.size}"'
                + (f', "region": "{lead.region}"' if lead.region else "")
                + "}"
                for lead in leads
            ],
        },
    )
    changed = [lead for lead in leads if lead.changed_at]
    _write(
        connection,
        "intermediate.int_attribute_history",
        {
            "record_id": [lead.lead_id for lead in changed for _ in range(2)],
            "record_type": ["lead"] * 2 * len(changed),
            "attribute": ["size"] * 2 * len(changed),
            "attribute_value": [
                value for lead in changed for value in (lead.size_at_entry, lead.size)
            ],
            "known_from": [at for lead in changed for at in (datetime(1, 1, 1), lead.changed_at)],
        },
    )


def _training(leads: list[Lead]) -> tuple[list[Lead], list[Lead]]:
    mature = sorted((one for one in leads if one.is_mature), key=lambda one: one.entered_at)
    days = Counter(lead.entered_at.date() for lead in mature)
    so_far, last = 0, None
    for day in sorted(days):
        so_far += days[day]
        if so_far * 3 <= len(mature) * 2:
            last = day
    assert last
    return (
        [lead for lead in mature if lead.entered_at.date() <= last],
        [lead for lead in mature if lead.entered_at.date() > last],
    )


def _points(training: list[Lead]) -> dict[tuple[int, str], int]:
    """By place in the key and value."""
    rate = sum(lead.outcome == "won" for lead in training) / len(training)
    points = {}
    for place in (0, 1):
        values = defaultdict(list)
        for lead in training:
            values[lead.key[place]].append(lead.outcome == "won")
        for value, won in values.items():
            shrunk = (sum(won) + 10 * rate) / (len(won) + 10)
            ratio = (shrunk / (1 - shrunk)) / (rate / (1 - rate))
            points[place, value] = round(10 * math.log2(ratio))
    return points


def test_classes_convert_as_counted(tables: Tables, leads: list[Lead]) -> None:
    """Prevents a class by present attributes, which would have all won leads in one."""
    expected: defaultdict[str, list[bool]] = defaultdict(list)
    for lead in leads:
        size, region = lead.size_at_entry, lead.region
        letters = (
            ("m" if size == "1" else "M")
            + ("A" if region in ("north", "south") else "a" if region == "west" else "?")
            + ("N" if size.endswith("0") else "?")
        )
        for name in (letters, "all"):
            if lead.is_mature:
                expected[name].append(lead.outcome == "won")
    rows = tables.query(
        "select qualification_class, mature_journeys, mature_won, conversion_rate"
        " from marts.lead_qualification_classes where mature_journeys > 0"
    )
    assert {row[0]: row[1:3] for row in rows} == {
        name: (len(won), sum(won)) for name, won in expected.items()
    }
    assert len(rows) > 5
    for name, journeys, won, rate in rows:
        assert rate == pytest.approx(won / journeys), name


def test_points_are_those_of_the_training_leads(tables: Tables, leads: list[Lead]) -> None:
    """Prevents points of what was filled in after the win, and of later leads."""
    training, _ = _training(leads)
    found = tables.query("select feature_name, feature_value, points from marts.lead_score_points")
    names = ("region", "size")
    assert {(row[0], row[1]): row[2] for row in found} == {
        (names[place], value): points for (place, value), points in _points(training).items()
    }
    assert max(row[2] for row in found) > 3 and min(row[2] for row in found) < -3


def test_scores_are_judged_by_later_leads(tables: Tables, leads: list[Lead]) -> None:
    """Prevents an area of other pairs, and a score that is judged by whom it was made of."""
    training, evaluation = _training(leads)
    points = _points(training)
    for sample, of_sample in (("training", training), ("evaluation", evaluation)):
        scores = [
            (sum(points[place, value] for place, value in enumerate(lead.key)), lead.outcome)
            for lead in of_sample
        ]
        won = [score for score, outcome in scores if outcome == "won"]
        others = [score for score, outcome in scores if outcome != "won"]
        higher = sum((one > other) + (one == other) / 2 for one in won for other in others)
        [(journeys, wins, auc)] = tables.query(
            "select journeys, won, auc from marts.lead_score_evaluation"
            " where sample = ? and score_tenth = 0",
            [sample],
        )
        assert (journeys, wins) == (len(of_sample), len(won))
        assert auc == pytest.approx(higher / (len(won) * len(others)))
        # There is something to be told, and no more than the truth tells.
        assert 0.6 < auc < 0.85


def test_what_is_expected_is_what_training_found(tables: Tables, leads: list[Lead]) -> None:
    """Prevents tenths that part equal scores, and rates of later leads."""
    rows = tables.query(
        "select sample, score, score_tenth, outcome, expected_rate from marts.lead_score"
    )
    assert len(rows) == len(leads)
    assert {row[0] for row in rows} == {"training", "evaluation", "immature"}
    outcomes = defaultdict(list)
    for sample, _, tenth, outcome, _ in rows:
        if sample == "training":
            outcomes[tenth].append(outcome == "won")
    for _, _, tenth, _, rate in rows:
        assert rate == pytest.approx(sum(outcomes[tenth]) / len(outcomes[tenth]))
    assert len({(score, tenth) for _, score, tenth, _, _ in rows}) == len({row[1] for row in rows})
    assert len(outcomes) > 3
