"""Losses, returns and follow-up of random deals, against plain Python (`plain_losses`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from statistics import median
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.marts.plain_losses import (
    DAY,
    Deal,
    Office,
    Visit,
    counted_losses,
    follow_up_of,
    losses_of,
    returns_of,
)
from tests.support.tables import Tables

AS_OF = datetime(2025, 4, 10, 9, 30)
LADDER = ("call", "demo", "offer")
ENDINGS = {"rival": "chose_competitor", "no money": "stopped_buying"}
# Clocks go forward on 30 March 2025.
OFFICE = Office(
    ZoneInfo("Europe/Berlin"),
    time(9),
    time(17, 30),
    frozenset({date(2025, 3, 10), date(2025, 4, 1)}),
)
AGREED = {
    "high": (24, frozenset({"phone", "visit"})),
    "medium": (72, frozenset({"email"})),
    "potential": (168, frozenset({"email", "phone", "visit"})),
}
SEEDS = {
    "funnels": "funnel_id,subject_type,order_mode\nsales,opportunity,furthest\n",
    "funnel_stages": """\
        funnel_id,stage_position,stage_id,stage_kind
        sales,1,call,open
        sales,2,demo,open
        sales,3,offer,open
        sales,4,won,won
        sales,,lost,lost
    """,
    "stage_rules": "funnel_id,stage_id,rule_type,match_value\n"
    + "".join(f"sales,{stage},opportunity_stage,{stage}\n" for stage in (*LADDER, "won", "lost")),
    "loss_endings": """\
        rule_position,funnel_id,match_type,match_value,ending
        1,sales,equals,rival,chose_competitor
        2,,prefix,no m,stopped_buying
        3,,regex,riv|mon,went_silent
    """,
    "follow_up_agreement": """\
        intent,first_contact_hours,contacts_from,contacts_to,contacts_per,channels
        high,24,2,3,week,phone;visit
        medium,72,1,1,week,email
        potential,168,1,2,month,
    """,
    "intent_rules": """\
        rule_position,funnel_id,attribute,stage_id,match_type,match_value,intent
        1,sales,,offer,,,high
        2,sales,tier,,equals,gold,medium
        3,sales,tier,,regex,.+,potential
    """,
    "calendar": "calendar_date,is_working_day\n2025-03-10,false\n2025-04-01,false\n",
    "working_hours": "weekday,opens_at,closes_at\n"
    + "".join(f"{weekday},09:00,17:30\n" for weekday in range(1, 6)),
}
MODELS = (
    "stg_time_zones__utc_offsets",
    "int_date_hours",
    "int_calendar_dates",
    "int_losses",
    "int_follow_ups",
    "loss_reasons",
    "returns",
    "win_back",
    "follow_up_timeliness",
    "follow_up_summary",
)


def random_deals(seed: int) -> list[Deal]:
    """Deals of a few accounts, many of them lost and reopened, with activities all along."""
    random = Random(seed)
    deals = []
    for number in range(220):
        at = datetime(2024, 11, 1) + timedelta(seconds=random.randrange(150 * 86_400))
        visits: list[Visit] = []
        stages = [*LADDER, "lost", "lost", "won"]
        while at < AS_OF and len(visits) < 9:
            # A record that nothing is heard of any more.
            if visits and random.random() < 0.15:
                break
            left = {"won", "lost"} if not visits else {visits[-1].stage_id}
            stage = random.choice([one for one in stages if one not in left])
            visits.append(Visit(stage, at))
            if stage == "won":
                break
            at += timedelta(seconds=random.randrange(3_600, 12 * 86_400))
        hours = [random.randrange(-40, 2_000) for _ in range(random.randrange(7))]
        activities = (
            (
                random.choice(("phone", "visit", "email", "chat")),
                visits[0].entered_at + timedelta(minutes=60 * hour + random.randrange(60)),
            )
            for hour in hours
        )
        deals.append(
            Deal(
                f"d{number:03}",
                random.choice([None, *(f"a{n}" for n in range(40))]),
                random.choice([None, "anna", "ben"]),
                tuple(visits),
                random.choice([None, "rival", "no money", "weather"]),
                random.choice([None, None, "Acme"]),
                random.choice([None, Decimal(random.randrange(1, 10**6)) / 100]),
                random.choice([None, "gold", "tin"]),
                tuple(one for one in activities if one[1] < AS_OF),
            )
        )
    return deals


DEALS = random_deals(20250406)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The marts, built of these deals in place of the core facts, with all their tests."""
    home = tmp_path_factory.mktemp("losses")
    seeds = home / "seeds"
    seeds.mkdir()
    for name, text in SEEDS.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (seeds / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = Settings.from_environment(
        {
            "FUNNEL_HOME": str(home),
            "FUNNEL_SEEDS": str(seeds),
            "FUNNEL_TIMEZONE": str(OFFICE.timezone),
        }
    )
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    declarations.write(declarations.read(seeds), settings.declarations)
    with duckdb.connect(str(settings.build)) as connection:
        _write(connection)
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", "resource_type:seed", *MODELS),
            *("--exclude-resource-types", "unit_test"),
            *("--indirect-selection", "cautious"),
            *dbt.common_arguments(settings),
        ],
    )
    assert not outcome.failures, "\n".join(outcome.failure_lines)
    tables = Tables(settings.build)
    yield tables
    tables.close()


def _write(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema core; create schema intermediate; create schema staging")
    connection.execute(
        "create table intermediate.int_run as select cast(? as timestamp) as as_of", [AS_OF]
    )
    tables: dict[str, tuple[str, list[tuple[object, ...]]]] = {
        "core.dim_funnels": (
            "funnel_id varchar, subject_type varchar, order_mode varchar",
            [("sales", "opportunity", "furthest")],
        ),
        "core.dim_funnel_stages": (
            "funnel_id varchar, stage_id varchar, stage_kind varchar, stage_position integer",
            [
                *(("sales", stage, "open", place) for place, stage in enumerate(LADDER, 1)),
                ("sales", "won", "won", 4),
                ("sales", "lost", "lost", None),
            ],
        ),
        "core.fct_stage_visits": (
            "funnel_id varchar, subject_id varchar, visit_number integer, journey_number integer,"
            " stage_id varchar, stage_kind varchar, stage_position integer, entered_at timestamp",
            [
                (
                    *("sales", deal.deal_id, number, 1, visit.stage_id),
                    visit.stage_id if visit.stage_id in ("won", "lost") else "open",
                    LADDER.index(visit.stage_id) + 1 if visit.stage_id in LADDER else None,
                    visit.entered_at,
                )
                for deal in DEALS
                for number, visit in enumerate(deal.visits, 1)
            ],
        ),
        "core.fct_journeys": (
            "funnel_id varchar, subject_id varchar, journey_number integer, outcome varchar,"
            " entered_at timestamp, ended_at timestamp",
            [
                (
                    *("sales", deal.deal_id, 1, deal.outcome),
                    *(deal.visits[0].entered_at, deal.ended_at),
                )
                for deal in DEALS
            ],
        ),
        "core.fct_journey_stages": (
            "funnel_id varchar, subject_id varchar, journey_number integer, stage_id varchar,"
            " reached_at timestamp",
            [
                ("sales", deal.deal_id, 1, stage, _first_entry(deal, stage))
                for deal in DEALS
                for stage in LADDER
                if _first_entry(deal, stage)
            ],
        ),
        "intermediate.int_surviving_records": (
            "record_id varchar, owner_id varchar, attributes varchar",
            [
                (
                    deal.deal_id,
                    deal.owner_id,
                    json.dumps({"tier": deal.tier, "competitor": deal.competitor}),
                )
                for deal in DEALS
            ],
        ),
        "intermediate.int_record_activities": (
            "record_id varchar, activity_type varchar, occurred_at timestamp",
            [(deal.deal_id, kind, at) for deal in DEALS for kind, at in deal.activities],
        ),
        "intermediate.int_deals": (
            "funnel_id varchar, deal_id varchar, journey_number integer, account_id varchar,"
            " furthest_stage_id varchar, furthest_stage_position integer, outcome varchar,"
            " loss_reason varchar, entered_at timestamp, ended_date date,"
            " seconds_to_outcome decimal(18, 6), amount decimal(18, 4)",
            [_as_row(deal) for deal in DEALS],
        ),
    }
    for table, (columns, rows) in tables.items():
        connection.execute(f"create table {table} ({columns})")
        places = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into {table} values ({places})", rows)


def _first_entry(deal: Deal, stage_id: str) -> datetime | None:
    return next((visit.entered_at for visit in deal.visits if visit.stage_id == stage_id), None)


def _as_row(deal: Deal) -> tuple[object, ...]:
    furthest = "won" if deal.outcome == "won" else deal.highest(LADDER)
    ended_at = deal.ended_at
    return (
        *("sales", deal.deal_id, 1, deal.account_id, furthest),
        (*LADDER, "won").index(furthest) + 1,
        *(deal.outcome, deal.loss_reason if deal.outcome == "lost" else None),
        deal.visits[0].entered_at,
        OFFICE.day(ended_at) if ended_at else None,
        int((ended_at - deal.visits[0].entered_at).total_seconds()) if ended_at else None,
        deal.amount,
    )


def test_losses_are_those_of_plain_python(built: Tables) -> None:
    """Prevents a loss under another period, stage, ending or reason than its own."""
    rows = built.query(
        "select period_grain, period_date, breakdown, stage_id, ending, loss_reason, competitor,"
        " lost_deals, period_lost_deals, amount_lost, amount_unknown, median_days_to_loss"
        " from marts.loss_reasons"
    )
    found = {row[:7]: row[7:] for row in rows}
    expected = counted_losses(DEALS, LADDER, ENDINGS, OFFICE.timezone)
    assert len(found) > 100
    assert found.keys() == expected.keys()
    for key, (lost, of_period, amount, unknown, days) in expected.items():
        assert found[key][:2] == (lost, of_period), key
        assert found[key][2:4] == (amount, unknown), key
        assert found[key][4] == pytest.approx(days, abs=1e-4), key


def test_returns_are_those_of_plain_python(built: Tables) -> None:
    """Prevents a return that is counted for another loss, or fared otherwise than it did."""
    rows = built.query(
        "select lost_deal_id, lost_visit_number, returned_deal_id, kind, outcome, stage_id,"
        " returned_at from marts.returns"
    )
    expected = {
        (
            *(one.loss.deal.deal_id, one.loss.visit_number, one.deal_id, one.kind, one.outcome),
            *(one.loss.stage_id, one.returned_at),
        )
        for one in returns_of(DEALS, losses_of(DEALS, LADDER))
    }
    assert {row[3:5] for row in rows} >= {
        (kind, outcome) for kind in ("reopened", "new_deal") for outcome in ("won", "lost", "open")
    }
    assert set(rows) == expected
    assert len(rows) == len(expected)


def test_who_came_back_is_counted_as_by_plain_python(built: Tables) -> None:
    """Prevents losses with two returns that count twice, and times to a later return."""
    losses = losses_of(DEALS, LADDER)
    returns = returns_of(DEALS, losses)
    closed = [deal.outcome for deal in DEALS if deal.outcome != "open"]
    for stage in (*LADDER, "all"):
        lost = [loss for loss in losses if stage in (loss.stage_id, "all")]
        back = [one for one in returns if stage in (one.loss.stage_id, "all")]
        first = {
            loss: min(one.returned_at for one in back if one.loss == loss)
            for loss in {one.loss for one in back}
        }
        fared = Counter(one.outcome for one in back)
        [row] = built.query(
            "select losses, lost_deals, came_back, returns, returns_won, returns_lost,"
            " returns_open, funnel_won_deals, funnel_closed_deals, p50_days_to_return"
            " from marts.win_back where stage_id = ?",
            [stage],
        )
        assert row[:9] == (
            *(len(lost), len({loss.deal for loss in lost}), len(first), len(back)),
            *(fared["won"], fared["lost"], fared["open"], closed.count("won"), len(closed)),
        ), stage
        days = median((at - loss.lost_at) / DAY for loss, at in first.items())
        assert row[9] == pytest.approx(days), stage


def test_follow_up_is_that_of_plain_python(built: Tables) -> None:
    """Prevents limits that end at night, on days off, or an hour off where clocks change."""
    rows = {
        row[0]: row[1:]
        for row in built.query(
            "select subject_id, intent, status, first_contact_due_at, first_contact_at,"
            " first_agreed_contact_at, agreed_contacts, business_seconds_to_first_contact"
            " from marts.follow_up_timeliness"
        )
    }
    assert len(rows) == len(DEALS)
    seen = set()
    for deal in DEALS:
        offered_at = _first_entry(deal, "offer")
        start = offered_at or deal.visits[0].entered_at
        if offered_at:
            intent = "high"
        elif deal.tier:
            intent = "medium" if deal.tier == "gold" else "potential"
        else:
            assert rows[deal.deal_id][:3] == (None, "no_agreement", None)
            continue
        hours, channels = AGREED[intent]
        if intent == "potential":
            channels |= {"chat"}
        due = OFFICE.due_at(start, hours)
        status, contact_at, agreed_at, agreed = follow_up_of(deal, start, due, channels, AS_OF)
        worked = OFFICE.worked(start, contact_at).total_seconds() if contact_at else None
        assert rows[deal.deal_id] == (
            *(intent, status, due, contact_at, agreed_at, agreed, worked),
        ), deal
        seen.add((intent, status))
    assert len(seen) > 8


def test_follow_up_is_summed_up_by_owner(built: Tables) -> None:
    """Prevents an owner from being charged with another's journeys."""
    [(rows, journeys)] = built.query(
        "select count(*), sum(journeys) from marts.follow_up_summary where breakdown = 'owner'"
    )
    assert (rows, journeys) == (3, len(DEALS))
    for owner in ("anna", "ben", "(missing)"):
        [(kept, judged)] = built.query(
            "select kept, judged from marts.follow_up_summary"
            " where breakdown = 'owner' and owner_id = ?",
            [owner],
        )
        [expected] = built.query(
            "select count(*) filter (where first_contact_kept), count(first_contact_kept)"
            " from marts.follow_up_timeliness where coalesce(owner_id, '(missing)') = ?",
            [owner],
        )
        assert (kept, judged) == expected
