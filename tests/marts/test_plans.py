"""The tables of plans, against what plain Python makes of the delivered rows."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from tests.marts.plain_plans import LADDER, LOST, Delivered, Period, Pipeline, rounded
from tests.support.tables import Tables
from tests.support.warehouse import build_warehouse

pytestmark = pytest.mark.slow

AS_OF = datetime(2025, 5, 15)
RATES = {"": Decimal(1), "USD": Decimal(1), "EUR": Decimal("1.25")}
TEAMS = {"o1": "north", "o2": "north", "o3": "south"}
# A rate that floats cannot hold.
DECLARED = {"approaching": "0.7"}
PROBABILITIES = dict(zip(LADDER, map(Decimal, ("0", "0.25", "0.5", "0.75", "1")), strict=True))
MAY = Period(date(2025, 5, 1), date(2025, 6, 1))
QUARTER = Period(date(2025, 4, 1), date(2025, 7, 1))
MAY_DAY = date(2025, 5, 1)
SCOPES = {
    ("all", "all"): None,
    ("team", "north"): frozenset({"o1", "o2"}),
    ("owner", "o1"): frozenset({"o1"}),
}


def _deals(seed: int, deals: int) -> Iterator[Delivered]:
    """Deals that go on, pass over a stage, step back, are won, lost or open."""
    chance = random.Random(seed)
    for number in range(deals):
        at = AS_OF - timedelta(minutes=chance.randrange(1, 600 * 24 * 60))
        place = chance.choice((0, 0, 0, 1))
        changes = [(at, LADDER[place])]
        while changes[-1][1] not in ("won", LOST):
            at += timedelta(minutes=1 + int(chance.expovariate(1 / (20 * 24 * 60))))
            if at >= AS_OF:
                break
            if chance.random() < 0.22:
                stage = LOST
            else:
                move = chance.choice((-1, 1, 1, 1, 1, 1, 2))
                place = min(max(place + move, 0), len(LADDER) - 1)
                stage = LADDER[place]
            if stage != changes[-1][1]:
                changes.append((at, stage))
        yield Delivered(
            f"d{number}",
            chance.choice(("o1", "o1", "o2", "o3", "")),
            chance.choice(("", *(f"{chance.randrange(100, 800_000) / 100:.2f}" for _ in range(9)))),
            chance.choice(("", "USD", "USD", "EUR", "XXX")),
            tuple(changes),
        )


def _write(path: Path, header: str, rows: Sequence[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _deliver(landing: Path, deals: Sequence[Delivered]) -> None:
    _write(
        landing / "generic" / "records" / "records.csv",
        "record_id,record_type,stage,amount,currency,owner_id",
        [
            (one.deal_id, "opportunity", one.changes[-1][1], one.amount, one.currency, one.owner_id)
            for one in deals
        ],
    )
    _write(
        landing / "generic" / "stage_changes" / "changes.csv",
        "record_id,record_type,stage,changed_at",
        [
            (one.deal_id, "opportunity", stage, at.isoformat())
            for one in deals
            for at, stage in one.changes
        ],
    )
    _write(landing / "generic" / "owners" / "owners.csv", "owner_id,team", list(TEAMS.items()))


def _declare(seeds: Path) -> None:
    _write(
        seeds / "funnels.csv",
        "funnel_id,subject_type,order_mode",
        [("sales", "opportunity", "furthest"), ("quiet", "opportunity", "furthest")],
    )
    _write(
        seeds / "funnel_stages.csv",
        "funnel_id,stage_position,stage_id,stage_kind,win_probability,planned_step_rate",
        [
            *(
                (
                    "sales",
                    place,
                    stage,
                    "won" if stage == "won" else "open",
                    PROBABILITIES[stage],
                    DECLARED.get(stage, ""),
                )
                for place, stage in enumerate(LADDER, start=1)
            ),
            ("sales", "", LOST, "lost", "", ""),
            ("quiet", 1, "asked", "open", "", ""),
            ("quiet", 2, "bought", "won", "", ""),
        ],
    )
    _write(
        seeds / "stage_rules.csv",
        "funnel_id,stage_id,rule_type,match_value",
        [("sales", stage, "opportunity_stage", stage) for stage in (*LADDER, LOST)]
        + [("quiet", stage, "opportunity_stage", stage) for stage in ("asked", "bought")],
    )
    _write(seeds / "exchange_rates.csv", "currency,valid_from,rate", [("EUR", "2000-01-01", 1.25)])
    _write(seeds / "calendar.csv", "calendar_date,is_working_day", [(MAY_DAY, "false")])
    _write(
        seeds / "deal_size_bands.csv",
        "funnel_id,band_name,amount_from,amount_below,average_amount",
        [("sales", "small", "", 1000, 500), ("sales", "large", 1000, 5000, "")],
    )
    _write(
        seeds / "funnel_plan_targets.csv",
        "funnel_id,period_grain,period_date,band_name,target_wins,target_amount",
        [
            ("sales", "month", MAY.begins, "small", "", 2000.5),
            ("sales", "month", MAY.begins, "large", 16, ""),
            ("sales", "quarter", QUARTER.begins, "", "", 150_000),
            ("quiet", "month", MAY.begins, "", "", 1000),
        ],
    )
    _write(
        seeds / "stage_targets.csv",
        "funnel_id,period_grain,period_date,stage_id,team,owner_id,target_deals",
        [
            ("sales", "month", MAY.begins, "won", "", "", 10),
            ("sales", "month", MAY.begins, "won", "north", "", 5),
            ("sales", "month", MAY.begins, "key", "", "o1", 3),
            ("quiet", "month", MAY.begins, "asked", "", "", 3),
        ],
    )
    _write(
        seeds / "what_if_steps.csv",
        "funnel_id,lever,unit,step",
        [("sales", "step_rate", "points", 1), ("quiet", "entries", "percent", 10)],
    )


@pytest.fixture(scope="module")
def delivered() -> list[Delivered]:
    """A pipeline at random."""
    return list(_deals(seed=20250515, deals=400))


@pytest.fixture(scope="module")
def pipeline(delivered: list[Delivered]) -> Pipeline:
    """What plain Python knows of it."""
    return Pipeline(delivered, RATES, AS_OF)


@pytest.fixture(scope="module")
def plans(delivered: list[Delivered], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The tables that are built of it."""
    folder = tmp_path_factory.mktemp("plans")
    _deliver(folder / "landing", delivered)
    _declare(folder / "seeds")
    built = build_warehouse(folder / "landing", folder / "seeds", folder / "home", as_of=AS_OF)
    tables = Tables(built)
    yield tables
    tables.close()


def test_the_deals_are_of_all_kinds(pipeline: Pipeline) -> None:
    """Prevents the tests below from agreeing on too little."""
    assert {deal.outcome for deal in pipeline.deals} == {"won", "lost", "open"}
    assert {deal.band for deal in pipeline.deals} == {
        *("small", "large", "(no band)", "(unknown amount)")
    }
    assert 100 < len(pipeline.mature) < len(pipeline.deals)
    assert any(len(deal.visited) < deal.furthest for deal in pipeline.deals)


def test_sizes_are_mixed_as_the_rows_say(plans: Tables, pipeline: Pipeline) -> None:
    """Prevents deals in the wrong band, or in no row."""
    found = plans.query(
        "select deal_set, band_name, deals, amount from marts.deal_size_mix"
        " where funnel_id = 'sales'"
    )
    assert sorted(found) == sorted(pipeline.size_mix())


def test_plans_need_what_the_rates_say(plans: Tables, pipeline: Pipeline) -> None:
    """Prevents a chain with other rates or roundings, and deals that are there and not counted."""
    # 2,000.50 at 500 each is a hair more than four deals.
    whole = math.ceil(150_000 / Fraction(pipeline.average_won()))
    for grain, period, wins in (("month", MAY, 5 + 16), ("quarter", QUARTER, whole)):
        found = plans.query(
            "select stage_id, needed, reached, carried_over, open_now, missing, to_add_per_week"
            " from marts.funnel_plan where funnel_id = 'sales' and period_grain = ?"
            " order by stage_position desc",
            [grain],
        )
        assert found == list(pipeline.plan(wins, DECLARED, period)), grain


@pytest.mark.parametrize("scope", SCOPES, ids=" ".join)
def test_targets_are_held_against_what_happened(
    plans: Tables, pipeline: Pipeline, scope: tuple[str, str]
) -> None:
    """Prevents a month of an owner that counts the deals of other months or owners."""
    found = plans.query(
        "select stage_id, reached, amount, amount_unknown, decided, projected_deals"
        " from marts.funnel_targets"
        " where funnel_id = 'sales' and scope_name = ? and scope_value = ?"
        " order by stage_position",
        scope,
    )
    expected = list(pipeline.targets(SCOPES[scope], MAY, frozenset({MAY_DAY})))
    assert [row[:5] for row in found] == [row[:5] for row in expected]
    assert [row[5] for row in found] == pytest.approx([row[5] for row in expected])
    assert sum(row[1] for row in expected) > 10


def test_a_point_is_worth_what_the_product_of_rates_says(plans: Tables, pipeline: Pipeline) -> None:
    """Prevents wins of another quarter, and a step that changes more than its own rate."""
    found = plans.query(
        "select stage_id, entries, baseline_wins, wins_difference from marts.what_if"
        " where funnel_id = 'sales' order by stage_position"
    )
    expected = list(pipeline.point_worth("0.01"))
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for place in (2, 3):
        assert [row[place] for row in found] == pytest.approx([row[place] for row in expected])


def test_quotas_follow_from_the_rows_of_each_owner(plans: Tables, pipeline: Pipeline) -> None:
    """Prevents weights of other stages, wins of other years, and owners that go missing."""
    found = plans.query(
        "select owner_id, open_deals, open_amount, open_amount_unknown, weighted_by_probability,"
        " weighted_by_win_rate, won_deals, won_amount, won_new_amount,"
        " quota_basis_by_win_rate - weighted_by_win_rate"
        " from marts.owner_quotas where funnel_id = 'sales' order by owner_id"
    )
    expected = list(pipeline.quotas(PROBABILITIES))
    assert [row[0] for row in found] == ["(missing)", "o1", "o2", "o3"]
    for row, plain in zip(found, expected, strict=True):
        assert row[:5] == plain[:5]
        assert row[5] == pytest.approx(plain[5], abs=Decimal("0.001"))
        assert row[6:9] == plain[6:]
        assert row[9] == plain[8]
    assert any(plain[7] > plain[8] > 0 for plain in expected)


def test_a_funnel_without_deals_has_rows_without_figures(plans: Tables) -> None:
    """Prevents nothing known from being published as nothing needed."""
    plan = plans.query(
        "select rate_source, needed, missing, targets_unknown from marts.funnel_plan"
        " where funnel_id = 'quiet' order by stage_position"
    )
    assert plan == [("unknown", None, None, 1), (None, None, None, 1)]
    [(reached, amount, decided)] = plans.query(
        "select reached, amount, decided from marts.funnel_targets"
        " where funnel_id = 'quiet' and stage_id = 'bought'"
    )
    assert (reached, amount, decided) == (0, rounded(Decimal()), 0)
    assert plans.query(
        "select entries, wins_difference, gain_rank from marts.what_if where funnel_id = 'quiet'"
    ) == [(0, None, None)]
    assert plans.query("select * from marts.owner_quotas where funnel_id = 'quiet'") == []
