"""The marts about owners against plain Python, on deals at random."""

from __future__ import annotations

import random
import re
import shutil
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.support.tables import Tables

pytestmark = pytest.mark.slow

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
}

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
        cases_at_least integer, within_hours integer, meaning varchar
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
        contact_id varchar, owner_id varchar, activity_type varchar, occurred_at timestamp
    """,
    "staging.stg_contacts": "contact_id varchar, attributes varchar",
    "staging.stg_owners": "owner_id varchar, manager_id varchar, is_active boolean",
}

# One statement for each data test; none breaks what another test looks at.
DEFECTS = {
    "int_owner_deals_counts_every_deal_once_a_level": """
        delete from intermediate.int_owner_deals where level = 'seller' and deal_id = 'd001'
    """,
    "unique_combination_int_owner_deals": """
        update intermediate.int_owner_deals set deal_id = 'd002'
        where level = 'all' and funnel_id = 'sales'
    """,
    "unique_combination_int_owner_periods": """
        update intermediate.int_owner_periods set period_date = date '2025-01-01'
        where level = 'team' and period_grain = 'month'
    """,
    "unique_combination_int_owner_health_rules": """
        update intermediate.int_owner_health_rules set rule_name = 'only_large'
    """,
    "unique_combination_int_owner_health_deals": """
        update intermediate.int_owner_health_deals set deal_id = 'd001'
    """,
    "unique_combination_int_deal_next_steps": """
        update intermediate.int_deal_next_steps set deal_id = 'd001'
    """,
    "unique_combination_int_deal_buying_roles": """
        insert into intermediate.int_deal_buying_roles
        select 'sales', 'd001', 5, 'all' from range(2)
    """,
    "unique_combination_owner_performance": """
        insert into marts.owner_performance
        select * from marts.owner_performance where period_grain = 'all' and level = 'all'
    """,
    "never_null_owner_performance": """
        update marts.owner_performance set entered = null
        where period_grain = 'year' and level = 'branch'
    """,
    "accepted_values_owner_performance_period_grain": """
        update marts.owner_performance set period_grain = 'week'
        where period_grain = 'month' and level = 'all'
    """,
    "accepted_values_owner_performance_level": """
        update marts.owner_performance set level = 'floor'
        where period_grain = 'quarter' and level = 'branch'
    """,
    "owner_performance_levels_add_up": """
        update marts.owner_performance set lost = lost + 1, closed = closed + 1
        where period_grain = 'year' and level = 'team' and name = 'north'
    """,
    "owner_performance_rates_lie_in_their_intervals": """
        update marts.owner_performance set win_rate_low = win_rate + 0.01
        where period_grain = 'quarter' and level = 'seller' and closed > 0
    """,
    "owner_performance_ranks_only_enough_cases": """
        update marts.owner_performance set win_rate_rank = 1
        where period_grain = 'month' and not win_rate_is_reportable
    """,
    "owner_performance_unknown_amounts_are_among_the_deals": """
        update marts.owner_performance set amount_won = null
        where period_grain = 'month' and level = 'seller'
    """,
    "unique_combination_owner_concentration": """
        insert into marts.owner_concentration
        select * from marts.owner_concentration where period_grain = 'all'
    """,
    "never_null_owner_concentration": """
        update marts.owner_concentration set is_mean_misleading = null where period_grain = 'year'
    """,
    "accepted_values_owner_concentration_period_grain": """
        update marts.owner_concentration set period_grain = 'week'
        where period_date = date '2025-05-01'
    """,
    "accepted_values_owner_concentration_measure": """
        update marts.owner_concentration set measure = 'hours' where period_date = date '2025-06-01'
    """,
    "owner_concentration_figures_agree": """
        update marts.owner_concentration set gini = 1.1 where period_grain = 'quarter'
    """,
    "unique_combination_owner_health_funnel_id": """
        insert into marts.owner_health
        select * from marts.owner_health where rule_name = 'bumper_then_none'
    """,
    "never_null_owner_health.": """
        update marts.owner_health set finding = null where rule_name = 'only_large'
    """,
    "accepted_values_owner_health_rule_name": """
        update marts.owner_health set rule_name = 'always_late'
        where rule_name = 'fewer_active_deals' and deals = 0
    """,
    "owner_health_finds_what_is_out_of_bounds": """
        update marts.owner_health set expected_at_least = found
        where rule_name = 'meetings_without_pipeline'
    """,
    "owner_health_counts_the_deals_behind": """
        update marts.owner_health set found = found + 1 where rule_name = 'too_many_active'
    """,
    "owner_health_names_the_deals_behind": """
        delete from marts.owner_health_deals where rule_name = 'no_next_step'
    """,
    "unique_combination_owner_health_deals": """
        update marts.owner_health_deals set deal_id = 'd001' where rule_name = 'signings_outside'
    """,
    "never_null_owner_health_deals": """
        update marts.owner_health_deals set journey_number = null where rule_name = 'only_small'
    """,
    "unique_combination_open_opportunities_ranked_funnel_id__deal_id": """
        update marts.open_opportunities_ranked set deal_id = 'd001' where worklist_rank in (3, 4)
    """,
    "unique_combination_open_opportunities_ranked_funnel_id__worklist_rank": """
        update marts.open_opportunities_ranked set worklist_rank = 6 where worklist_rank = 5
    """,
    "unique_combination_open_opportunities_ranked_funnel_id__owner_id": """
        update marts.open_opportunities_ranked set owner_worklist_rank = 1
        where owner_worklist_rank = 2
    """,
    "open_opportunities_ranked_has_every_open_deal": """
        delete from marts.open_opportunities_ranked where worklist_rank = 7
    """,
    "never_null_open_opportunities_ranked": """
        update marts.open_opportunities_ranked set reason = null where worklist_rank = 8
    """,
    "accepted_values_open_opportunities_ranked": """
        update marts.open_opportunities_ranked set win_probability_source = 'guessed'
        where worklist_rank = 9
    """,
    "open_opportunities_ranked_expects_what_it_knows": """
        update marts.open_opportunities_ranked set expected_value = amount + 1
        where worklist_rank = 10
    """,
}

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
    """All deals, who left, and the meetings by owner."""

    deals: tuple[Deal, ...]
    teams: dict[str, str | None]
    left: frozenset[str]
    meetings: tuple[tuple[str, datetime], ...]


def _world(seed: int) -> World:
    chance = random.Random(seed)
    owners = [f"o{number:02}" for number in range(12)]
    teams = {owner: chance.choice(["north", "south", None]) for owner in owners}
    # Of very different strength, so that there are stars, bumper months and idle ones.
    strength = {owner: chance.random() ** 3 + 0.02 for owner in owners}
    size = {owner: chance.choice([10, 300, 300, 5000]) for owner in owners}
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
        (chance.choice(owners), AS_OF - timedelta(hours=chance.randrange(1, 4000)))
        for _ in range(150)
    )
    return World(tuple(deals), teams, frozenset({"o00", "o02"}), meetings)


@pytest.fixture(scope="module")
def world() -> World:
    """Deals at random."""
    return _world(seed=20250706)


@pytest.fixture(scope="module")
def owner_database(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts of these deals, built by the project's models and tested by its data tests."""
    settings = Settings.from_environment(
        {
            "FUNNEL_HOME": str(tmp_path_factory.mktemp("owners")),
            "FUNNEL_MIN_REPORTABLE": str(MINIMUM),
        }
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


@pytest.fixture(scope="module")
def owner_marts(owner_database: Path) -> Iterator[Tables]:
    """Its tables."""
    tables = Tables(owner_database)
    yield tables
    tables.close()


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
        (None, owner, ("meeting", "visit", "Meeting")[number % 3], at)
        for number, (owner, at) in enumerate(world.meetings)
    ]
    rows["staging.stg_activities"].append((None, "o03", "call", AS_OF - timedelta(days=1)))
    rows["declarations.owner_health_rules"] += [
        (name, funnel_id or None, *bounds, name) for (name, funnel_id), bounds in RULES.items()
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


GRAINS: dict[str, Callable[[date], date | None]] = {
    "all": lambda day: None,
    "year": lambda day: day.replace(month=1, day=1),
    "quarter": lambda day: day.replace(month=day.month - (day.month - 1) % 3, day=1),
    "month": lambda day: day.replace(day=1),
}


def _names(world: World, deal: Deal) -> dict[str, str]:
    team = world.teams.get(deal.owner_id or "")
    return {
        "all": "all",
        "branch": team.upper() if team else "(missing)",
        "team": team or "(missing)",
        "seller": deal.owner_id or "(missing)",
    }


def _at_work(world: World, level: str, name: str, funnel_id: str) -> tuple[date, date]:
    """First and last day of whoever it is."""
    own = [
        deal
        for deal in world.deals
        if deal.funnel_id == funnel_id and _names(world, deal)[level] == name
    ]
    days = [at.date() for deal in own for at in (deal.entered_at, deal.ended_at) if at]
    goes_on = any(
        deal.outcome == "open" or (deal.owner_id and deal.owner_id not in world.left)
        for deal in own
    )
    return min(days), max([*days, LATEST] if goes_on else days)


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _performances(world: World) -> dict[tuple[Any, ...], dict[str, Any]]:
    """By funnel, grain, period, level and name: what should stand in `owner_performance`."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for funnel_id in FUNNELS:
        deals = [deal for deal in world.deals if deal.funnel_id == funnel_id]
        for level, name in {pair for deal in deals for pair in _names(world, deal).items()}:
            own = [deal for deal in deals if _names(world, deal)[level] == name]
            first, last = _at_work(world, level, name, funnel_id)
            every_day = [first + timedelta(days=n) for n in range((last - first).days + 1)]
            for grain, start_of in GRAINS.items():
                for period in {start_of(day) for day in every_day}:
                    found[funnel_id, grain, period, level, name] = _performance(
                        own, grain, start_of, period
                    )
    return found


def _performance(
    own: list[Deal], grain: str, start_of: Callable[[date], date | None], period: date | None
) -> dict[str, Any]:
    def in_period(at: datetime | None) -> bool:
        return grain == "all" or (at is not None and start_of(at.date()) == period)

    closed = [deal for deal in own if deal.outcome != "open" and in_period(deal.ended_at)]
    won = [deal for deal in closed if deal.outcome == "won"]
    amounts = [deal.amount for deal in won if deal.amount is not None]
    days = [
        (deal.ended_at - deal.entered_at) / timedelta(days=1)
        for deal in won
        if deal.ended_at and deal.entered_at
    ]
    is_open = [deal for deal in own if deal.outcome == "open"]
    weighted = [
        deal.amount * probability
        for deal in is_open
        if deal.amount is not None and (probability := PROBABILITY[deal.stage_id]) is not None
    ]
    known = [deal.amount for deal in is_open if deal.amount is not None]
    of_today = grain == "all"
    return {
        "entered": sum(in_period(deal.entered_at) for deal in own),
        "won": len(won),
        "lost": sum(deal.outcome == "lost" for deal in closed),
        "closed": len(closed),
        "amount_won": _total(amounts) if amounts or not won else None,
        "amount_won_unknown": len(won) - len(amounts),
        "median_amount_won": statistics.median(amounts) if amounts else None,
        "median_days_to_win": statistics.median(days) if days else None,
        "open_deals": len(is_open) if of_today else None,
        "open_amount": (_total(known) if known or not is_open else None) if of_today else None,
        "open_amount_unknown": len(is_open) - len(known) if of_today else None,
        "weighted_amount": (
            (_rounded(_total(weighted)) if weighted or not is_open else None) if of_today else None
        ),
        "weighted_amount_unknown": len(is_open) - len(weighted) if of_today else None,
    }


def test_what_owners_won_is_what_plain_python_counts(world: World, owner_marts: Tables) -> None:
    """Prevents wins of another period or owner, lost periods, and unknown amounts as 0."""
    expected = _performances(world)
    columns = list(next(iter(expected.values())))
    found = {
        row[:5]: dict(zip(columns, row[5:], strict=True))
        for row in owner_marts.query(
            "select funnel_id, period_grain, period_date, level, name, "
            f"{', '.join(columns)} from marts.owner_performance"
        )
    }
    assert len(found) > 500
    assert found.keys() == expected.keys()
    for key, figures in expected.items():
        for column, figure in figures.items():
            if column in ("median_days_to_win", "median_amount_won"):
                one = found[key][column]
                assert (one is None) == (figure is None), (key, column)
                assert figure is None or float(one) == pytest.approx(float(figure), abs=1e-4)
            else:
                assert found[key][column] == figure, (key, column)


def test_only_who_has_enough_cases_is_ranked(owner_marts: Tables) -> None:
    """Prevents a star of three deals, and a rank of deals that are nobody's."""
    groups: dict[tuple[Any, ...], list[tuple[float, int | None]]] = defaultdict(list)
    for *group, name, won, closed, rank in owner_marts.query(
        "select funnel_id, period_grain, period_date, level, name, won, closed, win_rate_rank "
        "from marts.owner_performance where level != 'all'"
    ):
        if closed < MINIMUM or name == "(missing)":
            assert rank is None
        else:
            groups[tuple(group)].append((won / closed, rank))
    assert max(len(group) for group in groups.values()) > 3
    for rates in groups.values():
        for rate, rank in rates:
            assert rank == 1 + sum(other > rate for other, _ in rates)


def test_concentration_is_what_the_statistics_module_says(owner_marts: Tables) -> None:
    """Prevents another deviation or mode, and a Gini coefficient of unsorted sellers.

    The coefficient is half the mean difference of all pairs, by the mean.
    """
    results: dict[tuple[Any, ...], list[Decimal]] = defaultdict(list)
    for *period, won, amount in owner_marts.query(
        "select funnel_id, period_grain, period_date, won, amount_won from marts.owner_performance "
        "where level = 'seller' and name != '(missing)'"
    ):
        results[*period, "wins"].append(Decimal(won))
        if amount is not None:
            results[*period, "amount"].append(amount)
    rows = owner_marts.query(
        "select funnel_id, period_grain, period_date, measure, sellers, total, best, mean, median, "
        "mode, result_range, standard_deviation, gini, is_mean_misleading "
        "from marts.owner_concentration"
    )
    assert {row[:4] for row in rows} == results.keys()
    assert any(row[-1] for row in rows), "a mean misleads somewhere"
    for *key, sellers, total, best, mean, median, mode, spread, deviation, gini, _ in rows:
        one = results[tuple(key)]
        assert (sellers, total, best, spread) == (len(one), sum(one), max(one), max(one) - min(one))
        assert mode == min(statistics.multimode(one))
        assert mean == _rounded(statistics.mean(one))
        assert float(median) == pytest.approx(float(statistics.median(one)), abs=1e-4)
        assert deviation == pytest.approx(float(statistics.pstdev(one)), rel=1e-9, abs=1e-9)
        pairs = sum(abs(left - right) for left in one for right in one)
        expected = float(pairs) / (2 * len(one) * float(total)) if total else None
        assert gini == (pytest.approx(expected, abs=1e-9) if expected is not None else None)


def _behind(world: World) -> dict[tuple[Any, ...], set[str]]:
    """By funnel, owner, rule and month: the deals that count."""
    behind: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for deal in world.deals:
        who = (deal.funnel_id, deal.owner_id)
        if deal.owner_id is None:
            continue
        if deal.outcome == "open":
            for rule in ("fewer_active_deals", "too_many_active", "meetings_without_pipeline"):
                behind[*who, rule, None].add(deal.deal_id)
            if deal.band in ("small", "large"):
                behind[*who, f"only_{deal.band}", None].add(deal.deal_id)
            if deal.next_step != "call":
                behind[*who, "no_next_step", None].add(deal.deal_id)
        if deal.outcome == "won":
            month = deal.ended_month
            if month:
                behind[*who, "signings_outside", month].add(deal.deal_id)
                behind[*who, "bumper_then_none", _next(month)].add(deal.deal_id)
            is_early = deal.ended_at and deal.ended_at - deal.created_at <= timedelta(hours=30)
            if is_early or not deal.was_in_open_stage:
                behind[*who, "won_never_in_funnel", month].add(deal.deal_id)
        if moved := deal.moved_back_at:
            month = moved.date().replace(day=1)
            if moved >= datetime.combine(_next(month), datetime.min.time()) - timedelta(days=7):
                behind[*who, "moved_back_before_quota", month].add(deal.deal_id)
    return behind


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _bounds(rule: str, funnel_id: str) -> tuple[int, int, int] | None:
    """At least, at most and cases at least of a rule in a funnel; None where it has none."""
    bounds = RULES.get((rule, funnel_id), RULES.get((rule, "")))
    if bounds is None:
        return None
    low, high, cases, _ = bounds
    return low or 0, 10**9 if high is None else high, cases or 0


def _findings(world: World) -> dict[tuple[Any, ...], int]:
    """By funnel, owner, rule and month: the figure that is found, where it is out of bounds."""
    behind = _behind(world)
    found = _month_findings(world)
    met = Counter(owner for owner, at in world.meetings if at >= AS_OF - timedelta(hours=2160))
    for key, deals in behind.items():
        funnel_id, _, rule, _ = key
        bounds = _bounds(rule, funnel_id)
        is_habit = rule in ("no_next_step", "won_never_in_funnel", "moved_back_before_quota")
        if is_habit and bounds and len(deals) > bounds[1]:
            found[key] = len(deals)
    for funnel_id, owner in _sellers(world):
        known = sum(
            deal.outcome == "open" and deal.amount is not None
            for deal in world.deals
            if (deal.funnel_id, deal.owner_id) == (funnel_id, owner)
        )
        for rule in ("fewer_active_deals", "too_many_active", "meetings_without_pipeline"):
            low, high, cases = _bounds(rule, funnel_id) or (0, 10**9, 0)
            count = len(behind.get((funnel_id, owner, rule, None), ()))
            is_looked_at = {
                "fewer_active_deals": owner not in world.left,
                "too_many_active": True,
                "meetings_without_pipeline": met[owner] >= cases,
            }[rule]
            if is_looked_at and not low <= count <= high:
                found[funnel_id, owner, rule, None] = count
        for rule in ("only_large", "only_small"):
            bounds = _bounds(rule, funnel_id)
            count = len(behind.get((funnel_id, owner, rule, None), ()))
            if bounds and count == known and count >= bounds[2]:
                found[funnel_id, owner, rule, None] = count
    return found


def _sellers(world: World) -> set[tuple[str, str]]:
    return {(deal.funnel_id, deal.owner_id) for deal in world.deals if deal.owner_id}


def _month_findings(world: World) -> dict[tuple[Any, ...], int]:
    """The findings about how many were won in the full months of whoever sells."""
    found: dict[tuple[Any, ...], int] = {}
    for funnel_id, owner in _sellers(world):
        wins = Counter(
            deal.ended_month
            for deal in world.deals
            if (deal.funnel_id, deal.owner_id, deal.outcome) == (funnel_id, owner, "won")
        )
        first, last = _at_work(world, "seller", owner, funnel_id)
        months = [first.replace(day=1)]
        while months[-1] <= last:
            months.append(_next(months[-1]))
        full = [
            month for month in months if first <= month and _next(month) - timedelta(days=1) <= last
        ]
        usual = statistics.median([wins[month] for month in full]) if full else 0
        for month in full:
            bounds = _bounds("signings_outside", funnel_id)
            if bounds and not bounds[0] <= wins[month] <= bounds[1]:
                found[funnel_id, owner, "signings_outside", month] = wins[month]
            if bounds := _bounds("bumper_then_none", funnel_id):
                before = wins[_previous(month)] if _previous(month) in full else -1
                is_bumper = before >= max(bounds[2], 2 * usual)
                if is_bumper and wins[month] < bounds[0]:
                    found[funnel_id, owner, "bumper_then_none", month] = wins[month]
    return found


def _previous(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def test_findings_are_those_of_plain_python(world: World, owner_marts: Tables) -> None:
    """Prevents findings for who is within bounds, and others than the declared bounds."""
    expected = _findings(world)
    assert {key[2] for key in expected} == {rule for rule, _ in RULES}, "each rule finds something"
    found = {
        row[:4]: row[4]
        for row in owner_marts.query(
            "select funnel_id, owner_id, rule_name, period_date, found from marts.owner_health"
        )
    }
    assert found == expected


def test_the_deals_behind_the_findings_are_those_of_plain_python(
    world: World, owner_marts: Tables
) -> None:
    """Prevents a manager from talking about the wrong deals."""
    behind = _behind(world)
    expected = {key: behind[key] for key in _findings(world) if behind.get(key)}
    found: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for *key, deal_id in owner_marts.query(
        "select funnel_id, owner_id, rule_name, period_date, deal_id from marts.owner_health_deals"
    ):
        found[tuple(key)].add(deal_id)
    assert found == expected


def test_the_worklist_is_sorted_by_what_is_to_be_expected(
    world: World, owner_marts: Tables
) -> None:
    """Prevents deals of unknown worth on top, and a manager's list without the large deals."""
    rows = owner_marts.query(
        "select funnel_id, deal_id, expected_value, is_for_manager, manager_id, days_overdue, "
        "win_probability_source from marts.open_opportunities_ranked "
        "order by funnel_id, worklist_rank"
    )
    deals = {deal.deal_id: deal for deal in world.deals if deal.outcome == "open"}
    assert {row[1] for row in rows} == deals.keys()
    expected = []
    for funnel_id in sorted(FUNNELS):
        valued = []
        for deal in deals.values():
            if deal.funnel_id != funnel_id:
                continue
            declared = PROBABILITY[deal.stage_id]
            won, closed = OBSERVED.get(deal.stage_id, (0, 1))
            chance = declared if declared is not None else Decimal(won) / closed
            value = None if deal.amount is None else _rounded(deal.amount * chance)
            is_large = (
                deal.amount and deal.amount > MANAGER_AMOUNT if funnel_id == "sales" else None
            )
            overdue = deal.expected_close_date and max(
                (AS_OF.date() - deal.expected_close_date).days, 0
            )
            owner = deal.owner_id and f"manager of {deal.owner_id}"
            source = "observed" if declared is None else "declared"
            place = (
                *(value is None, -(value or 0), -(deal.amount or 0)),
                *(deal.entered_at is None, deal.entered_at or AS_OF, deal.deal_id),
            )
            row = (funnel_id, deal.deal_id, value, is_large, owner, overdue, source)
            valued.append((place, row))
        expected += [row for _, row in sorted(valued)]
    assert rows == expected


PAGE = (dbt.PROJECT / "docs" / "manage-a-pipeline.md").read_text("utf-8")
QUERIES = [
    query
    for query in re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    if re.search(r"from (owner_|open_opportunities)", query)
]


def test_the_queries_of_the_page_run(owner_database: Path) -> None:
    """Prevents an example that fails where a reader pastes it."""
    assert len(QUERIES) == 4
    with duckdb.connect(str(owner_database), read_only=True) as connection:
        connection.execute("use marts")
        for query in QUERIES:
            ours = query.replace("'sales_pipeline'", "'sales'").replace("'owner-03'", "'o03'")
            assert connection.execute(ours).fetchall(), query


def test_the_page_tells_the_shipped_rules() -> None:
    """Prevents a rule that only those find who read the declarations."""
    for rule in declarations.read(dbt.PROJECT / "seeds").tables["owner_health_rules"]:
        [line] = [
            line
            for line in PAGE.splitlines()
            if line.startswith("| `") and f"`{rule['rule_name']}`" in line.split("|")[1]
        ]
        shipped = line.split("|")[4]
        for column in ("at_least", "at_most", "cases_at_least"):
            assert rule[column] in re.findall(r"\d+", shipped) or not rule[column], line


@pytest.fixture(scope="module")
def statuses(owner_database: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Status of each data test, by name, over marts with all the defects."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("defects"))})
    declarations.write_empty(settings.declarations)
    shutil.copyfile(owner_database, settings.build)
    with duckdb.connect(str(settings.build)) as connection:
        for defect in DEFECTS.values():
            [changed] = connection.execute(defect).fetchone() or (0,)
            assert changed > 0, defect
    outcome = dbt.run(
        settings,
        [
            *("test", "--select", *MODELS, "--exclude", "test_type:unit"),
            *("--indirect-selection", "buildable", *dbt.common_arguments(settings)),
        ],
    )
    return {".".join(one.unique_id.split(".")[2:]): one.status for one in outcome.results}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(statuses: dict[str, str], name: str) -> None:
    """Prevents a test that passes whatever the table holds."""
    [status] = {status for test, status in statuses.items() if test.startswith(name)}
    assert status == "fail"


def test_every_data_test_was_seen_failing(statuses: dict[str, str]) -> None:
    """Prevents a new test from being trusted before it was seen failing."""
    assert {name for name, status in statuses.items() if status != "fail"} == set()
