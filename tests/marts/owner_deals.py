"""Deals of owners at random, and a build of the marts about owners from them alone."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration import dbt, declarations
from orchestration.settings import Settings

AS_OF = datetime(2025, 7, 10, 12)
LATEST = date(2025, 7, 9)
FUNNELS = ("sales", "partners")
PROBABILITY = {"new": Decimal("0.25"), "offer": Decimal("0.5"), "talks": None}
OBSERVED = {"new": (1, 10), "talks": (3, 4)}
BANDS = (("small", 0, 100), ("middle", 100, 1000), ("large", 1000, None))
MANAGER_AMOUNT = 900
MINIMUM = 30

# Rule by rule and funnel: at_least, at_most, cases_at_least, within_hours.
RULES: dict[tuple[str, str], tuple[int | None, int | None, int | None, int | None]] = {
    ("fewer_active_deals", ""): (15, None, None, None),
    ("fewer_active_deals", "partners"): (3, None, None, None),
    ("too_many_active", ""): (None, 16, None, None),
    ("signings_outside", "sales"): (1, 3, None, None),
    ("bumper_then_none", ""): (1, None, 2, None),
    ("only_large", ""): (None, None, 1, None),
    ("only_small", "sales"): (None, None, 1, None),
    ("meetings_without_pipeline", ""): (12, None, 4, 2160),
    ("no_next_step", ""): (None, 2, None, None),
    ("won_never_in_funnel", ""): (None, 0, None, 30),
    ("moved_back_before_quota", ""): (None, 0, None, 168),
    ("moved_back_before_quota", "partners"): (None, 0, None, 168),
}
# Sellers to partners have a quota for each quarter.
PERIODS = {("moved_back_before_quota", "partners"): "quarter"}

COLUMNS = {
    "core.dim_funnels": "funnel_id varchar, subject_type varchar, order_mode varchar",
    "core.dim_funnel_stages": "funnel_id varchar, stage_id varchar, win_probability double",
    "core.fct_stage_visits": """
        funnel_id varchar, subject_id varchar, journey_number integer, stage_kind varchar
    """,
    "core.fct_stage_transitions": """
        funnel_id varchar, subject_id varchar, journey_number integer, movement varchar,
        transitioned_at timestamp
    """,
    "declarations.deal_size_bands": """
        funnel_id varchar, band_name varchar, amount_from decimal(18, 4)
    """,
    "declarations.owner_health_rules": """
        rule_name varchar, funnel_id varchar, at_least integer, at_most integer,
        cases_at_least integer, within_hours integer, activity_types varchar, period_grain varchar,
        meaning varchar
    """,
    "declarations.worklist_settings": "funnel_id varchar, manager_amount decimal(18, 4)",
    "intermediate.int_calendar_dates": "calendar_date date",
    "intermediate.int_deals": """
        funnel_id varchar, deal_id varchar, journey_number integer, owner_id varchar, team varchar,
        branch varchar, account_id varchar, stage_id varchar, stage_position integer,
        outcome varchar, entered_date date, ended_date date, created_at timestamp,
        ended_at timestamp, seconds_to_outcome decimal(18, 6), amount decimal(18, 4),
        amount_unknown_for varchar, deal_size_band varchar, expected_close_date date,
        stage_entered_at timestamp
    """,
    "intermediate.int_identity_contacts": """
        contact_id varchar, account_id varchar, merged_into_id varchar
    """,
    "intermediate.int_record_activities": "record_id varchar, occurred_at timestamp",
    "intermediate.int_run": "as_of timestamp",
    "intermediate.int_stage_win_rates": """
        funnel_id varchar, stage_id varchar, known_from date, won bigint, closed bigint
    """,
    "intermediate.int_surviving_records": "record_id varchar, attributes varchar",
    "marts.open_visits": """
        funnel_id varchar, subject_id varchar, journey_number integer, age_seconds decimal(18, 6),
        is_stalled boolean, stalled_by varchar
    """,
    "staging.stg_activities": """
        record_id varchar, contact_id varchar, owner_id varchar, activity_type varchar,
        occurred_at timestamp
    """,
    "staging.stg_contacts": "contact_id varchar, attributes varchar",
    "staging.stg_owners": "owner_id varchar, manager_id varchar, is_active boolean",
}

# One statement for each data test; none breaks what another test looks at.

MODELS = (
    "int_owner_deals",
    "int_owner_periods",
    "int_owner_health_rules",
    "int_owner_health_deals",
    "int_deal_next_steps",
    "int_deal_buying_roles",
    "owner_performance",
    "owner_concentration",
    "owner_health",
    "owner_health_deals",
    "open_opportunities_ranked",
)


@dataclass(frozen=True)
class Deal:
    """A deal with all that the marts know of it."""

    funnel_id: str
    deal_id: str
    owner_id: str | None
    stage_id: str
    outcome: str
    created_at: datetime
    entered_at: datetime | None
    ended_at: datetime | None
    amount: Decimal | None
    next_step: str | None
    was_in_open_stage: bool
    moved_back_at: datetime | None
    expected_close_date: date | None

    @property
    def band(self) -> str | None:
        """Its size."""
        if self.amount is None:
            return None
        return [name for name, lowest, _ in BANDS if self.amount >= lowest][-1]

    @property
    def ended_month(self) -> date | None:
        """The month of its outcome."""
        return self.ended_at.date().replace(day=1) if self.ended_at else None


@dataclass(frozen=True)
class World:
    """All deals, who left, and the meetings by owner, each with the deal it was about, if any."""

    deals: tuple[Deal, ...]
    teams: dict[str, str | None]
    left: frozenset[str]
    meetings: tuple[tuple[str, datetime, Deal | None], ...]


def random_world(seed: int) -> World:
    chance = random.Random(seed)
    owners = [f"o{number:02}" for number in range(12)]
    teams = {owner: chance.choice(["north", "south", None]) for owner in owners}
    # Of very different strength, so that there are stars, bumper months and idle ones.
    strength = {owner: chance.random() ** 3 + 0.02 for owner in owners}
    size = {owner: chance.choice([10, 300, 300, 5000]) for owner in owners}
    # Amounts whose products do not fit into 64 bits.
    size["o05"] = 90_000_000
    deals = []
    for number in range(900):
        owner = chance.choices(owners, [strength[one] for one in owners])[0]
        outcome = chance.choices(["won", "lost", "abandoned", "open"], [4, 4, 0.3, 3])[0]
        created = datetime(2024, 9, 3) + timedelta(minutes=chance.randrange(300 * 1440))
        ended = created + timedelta(minutes=chance.randrange(60, 90 * 1440))
        is_undated = chance.random() < 0.03
        if outcome != "open" and ended >= AS_OF:
            outcome = "open"
        if owner in ("o00", "o01") and outcome == "open":
            outcome, ended = "lost", min(ended, AS_OF - timedelta(days=40))
        moved = created + timedelta(minutes=chance.randrange(40 * 1440))
        amount = Decimal(chance.randrange(1, 40_000)) / 10_000 * size[owner]
        deals.append(
            Deal(
                funnel_id=chance.choices(FUNNELS, [3, 1])[0],
                deal_id=f"d{number:03}",
                owner_id=None if chance.random() < 0.03 else owner,
                stage_id=chance.choice(list(PROBABILITY)) if outcome == "open" else outcome,
                outcome=outcome,
                created_at=created,
                entered_at=None if is_undated else created,
                ended_at=None if is_undated or outcome == "open" else ended,
                amount=None if chance.random() < 0.05 else amount,
                next_step=chance.choice(["call", " ", None]),
                was_in_open_stage=chance.random() < 0.95,
                moved_back_at=moved if chance.random() < 0.1 and moved < AS_OF else None,
                expected_close_date=chance.choice([None, date(2025, 6, 1), date(2025, 8, 1)]),
            )
        )
    meetings = tuple(
        (
            chance.choice(owners),
            AS_OF - timedelta(hours=chance.randrange(1, 4000)),
            chance.choice([None, chance.choice(deals)]),
        )
        for _ in range(150)
    )
    return World(tuple(deals), teams, frozenset({"o00", "o02"}), meetings)


def build_owner_marts(world: World, home: Path) -> Path:
    """Build the marts from these deals, with all their tests, and give the database.

    Raises:
        AssertionError: a model or a test of dbt failed.
    """
    settings = Settings.from_environment(
        {"FUNNEL_HOME": str(home), "FUNNEL_MIN_REPORTABLE": str(MINIMUM)}
    )
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    declarations.write_empty(settings.declarations)
    with duckdb.connect(str(settings.build)) as connection:
        for schema in sorted({table.split(".")[0] for table in COLUMNS}):
            connection.execute(f"create schema {schema}")
        rows = _rows(world)
        for table, columns in COLUMNS.items():
            connection.execute(f"create table {table} ({columns})")
            if rows[table]:
                marks = ", ".join("?" * len(rows[table][0]))
                connection.executemany(f"insert into {table} values ({marks})", rows[table])
    outcome = dbt.run(
        settings,
        [
            *("build", "--select", *MODELS, "--indirect-selection", "buildable"),
            *("--exclude-resource-types", "unit_test", *dbt.common_arguments(settings)),
        ],
    )
    assert not outcome.failures, "\n".join(outcome.failure_lines)
    assert len(outcome.results) > 2 * len(MODELS)
    return settings.build


def _rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    rows: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    rows["intermediate.int_run"].append((AS_OF,))
    rows["intermediate.int_calendar_dates"] += [
        (date(2024, 1, 1) + timedelta(days=day),) for day in range(557)
    ]
    rows["staging.stg_owners"] += [
        (owner, f"manager of {owner}", owner not in world.left) for owner in world.teams
    ]
    rows["staging.stg_activities"] += [
        (deal and deal.deal_id, None, owner, ("meeting", "visit", "Meeting")[number % 3], at)
        for number, (owner, at, deal) in enumerate(world.meetings)
    ]
    rows["staging.stg_activities"].append((None, None, "o03", "call", AS_OF - timedelta(days=1)))
    rows["declarations.owner_health_rules"] += [
        (name, funnel_id or None, *bounds, None, PERIODS.get((name, funnel_id)), name)
        for (name, funnel_id), bounds in RULES.items()
    ]
    rows["declarations.worklist_settings"].append(("sales", MANAGER_AMOUNT))
    for funnel_id in FUNNELS:
        rows["core.dim_funnels"].append((funnel_id, "opportunity", "furthest"))
        rows["core.dim_funnel_stages"] += [
            (funnel_id, stage_id, probability and float(probability))
            for stage_id, probability in PROBABILITY.items()
        ]
        rows["intermediate.int_stage_win_rates"] += [
            (funnel_id, stage_id, date(2025, 7, 1), *rate) for stage_id, rate in OBSERVED.items()
        ]
        rows["declarations.deal_size_bands"] += [
            (funnel_id, name, lowest) for name, lowest, _ in BANDS
        ]
    for deal in world.deals:
        key = (deal.funnel_id, deal.deal_id, 1)
        team = world.teams.get(deal.owner_id or "")
        taken = deal.entered_at and deal.ended_at and deal.ended_at - deal.entered_at
        rows["intermediate.int_deals"].append(
            (
                *(*key, deal.owner_id, team, team and team.upper(), None, deal.stage_id, 1),
                *(deal.outcome, deal.entered_at and deal.entered_at.date()),
                *(deal.ended_at and deal.ended_at.date(), deal.created_at, deal.ended_at),
                *(taken and taken.total_seconds(), deal.amount),
                *(None if deal.amount is not None else "no amount", deal.band),
                *(deal.expected_close_date, deal.entered_at),
            )
        )
        step = "null" if deal.next_step is None else f'"{deal.next_step}"'
        rows["intermediate.int_surviving_records"].append(
            (deal.deal_id, f'{{"next_step": {step}}}')
        )
        kind = "open" if deal.was_in_open_stage else "won"
        rows["core.fct_stage_visits"].append((*key, kind))
        if deal.moved_back_at:
            rows["core.fct_stage_transitions"].append((*key, "regress", deal.moved_back_at))
    return rows
