"""Attribution and acquisition of random journeys, against plain Python and linear algebra."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.marts.plain_attribution import DAY, Path, Touch, credits_of, path_of, removal_effects
from tests.support.tables import Tables

AS_OF = datetime(2025, 4, 10, 9, 30)
TIME_ZONE = ZoneInfo("Europe/Berlin")
MODELS = ("first_touch", "last_touch", "linear", "position", "time_decay", "removal_effect")
WEB = ("Search", "Social", "E-mail", "Direct")
SEEDS = {
    "funnels": """\
        funnel_id,subject_type,order_mode
        shop,visitor,ordered
        sales,opportunity,furthest
    """,
    "funnel_stages": """\
        funnel_id,stage_position,stage_id,stage_kind
        shop,1,visit,open
        shop,2,paid,won
        sales,1,call,open
        sales,2,won,won
    """,
    "stage_rules": """\
        funnel_id,stage_id,rule_type,match_value
        shop,visit,event,visit
        shop,paid,event,paid
        sales,call,opportunity_stage,call
        sales,won,opportunity_stage,won
    """,
    "exchange_rates": "currency,valid_from,rate\nEUR,2024-01-01,1.10\nEUR,2025-02-01,1.20\n",
    "activity_channels": "activity_type,channel\ncall,Calls\nmail,E-mail\n",
    "attribution_settings": """\
        attribution_id,funnel_id,lookback_days,half_life_days,touches_of
        shop_30,shop,30,7,
        shop_5,shop,5,0.5,
        sales_60,sales,60,14,account
        sales_alone,sales,60,14,person
    """,
    "acquisition_settings": "funnel_id,referrer_property\nshop,invited_by\n",
    "channel_costs": """\
        channel,period_date,cost,currency
        Search,2025-01-01,1000,
        Search,2025-02-01,1100,
        Search,2025-03-01,1200.50,EUR
        Social,2025-02-01,100,EUR
        SMS,2025-02-01,50,
    """,
}
# Whose touchpoints: by account, where one is known, or by person. Days back, and half-life in days.
QUESTIONS = {
    "shop_30": ("shop", 30, 7.0, False),
    "shop_5": ("shop", 5, 0.5, False),
    "sales_60": ("sales", 60, 14.0, True),
    "sales_alone": ("sales", 60, 14.0, False),
}


class World:
    """Persons, their touchpoints and journeys, at random."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self.accounts = {
            f"visitor:v{n:03}": random.choice([None, *(f"a{k}" for k in range(12))])
            for n in range(120)
        }
        # The visitor of each person, and the person of each deal; one in six deals is nobody's.
        self.visitors = {person.split(":")[1]: person for person in self.accounts}
        self.deals = {
            f"d{n:03}": random.choice([None, *random.sample(sorted(self.accounts), 5)])
            for n in range(90)
        }
        self.deal_accounts = {
            deal: random.choice([None, self.accounts.get(person or "")])
            for deal, person in self.deals.items()
        }
        self.sessions = [
            (person, random.choice(WEB), self._instant(random))
            for person in self.accounts
            for _ in range(random.randrange(6))
        ]
        self.activities = [
            (deal, random.choice(("call", "mail", "note")), self._instant(random))
            for deal in self.deals
            for _ in range(random.randrange(4))
        ]
        self.journeys = [
            (funnel, subject, number, *self._end(random))
            for funnel, subjects in (("shop", self.visitors), ("sales", self.deals))
            for subject in sorted(subjects)
            for number in range(1, 2 if funnel == "sales" else random.randrange(2, 4))
        ]

        # Whom visitors name as having invited them, and when they do.
        self.names = [
            (visitor, random.choice([*sorted(self.visitors), "nobody"]), self._instant(random))
            for visitor in sorted(self.visitors)
            if random.random() < 0.6
        ]

    @staticmethod
    def _instant(random: Random) -> datetime:
        # On few instants, so that several things happen at one.
        return datetime(2024, 12, 20) + timedelta(hours=6 * random.randrange(4 * 111))

    def _end(self, random: Random) -> tuple[str, bool, datetime, datetime | None, Decimal | None]:
        outcome = random.choice(("won", "won", "lost", "abandoned", "open"))
        entered_at = self._instant(random)
        ended_at = None
        if outcome != "open":
            ended_at = min(entered_at + timedelta(hours=6 * random.randrange(80)), AS_OF)
        if outcome == "won" and random.random() < 0.03:
            ended_at = None
        amount = random.choice([None, Decimal(random.randrange(1, 10**7)) / 100])
        return outcome, random.random() < 0.5, entered_at, ended_at, amount

    def touches(self) -> list[Touch]:
        channels = {"call": "Calls", "mail": "E-mail"}
        found = [
            Touch(person, self.accounts[person], channel, at)
            for person, channel, at in self.sessions
        ]
        for deal, kind, at in self.activities:
            person = self.deals[deal] or f"record:{deal}"
            account = self.deal_accounts[deal] or self.accounts.get(person)
            if kind in channels and at < AS_OF:
                found.append(Touch(person, account, channels[kind], at))
        return found

    def paths(self, attribution: str) -> list[Path]:
        funnel, days, _, by_account = QUESTIONS[attribution]
        of_person, of_account = defaultdict(list), defaultdict(list)
        for touch in self.touches():
            of_person[touch.person_id].append(touch)
            of_account[touch.account_id].append(touch)
        paths = []
        for (
            of_funnel,
            subject,
            _,
            outcome,
            is_mature,
            entered_at,
            ended_at,
            amount,
        ) in self.journeys:
            if of_funnel != funnel or (outcome == "open" and not is_mature):
                continue
            if funnel == "shop":
                person = self.visitors[subject]
                account = self.accounts[person]
            else:
                person = self.deals[subject] or f"record:{subject}"
                account = self.deal_accounts[subject] or self.accounts.get(person)
            candidates = of_account[account] if by_account and account else of_person[person]
            end = ended_at
            if outcome == "open":
                end = min(entered_at + days * DAY, AS_OF - timedelta(microseconds=1))
            paths.append(
                Path(
                    path_of(candidates, end, days * DAY) if end else (),
                    outcome == "won",
                    end,
                    int(amount * 10_000) if outcome == "won" and amount is not None else None,
                )
            )
        return paths


WORLD = World(20250407)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    """The marts, built of this world in place of the core, with all their tests."""
    home = tmp_path_factory.mktemp("attribution")
    seeds = home / "seeds"
    seeds.mkdir()
    shipped = {
        "channel_rules": "rule_position,channel\n"
        + "".join(f"{number},{channel}\n" for number, channel in enumerate((*WEB, "SMS"), 1))
    }
    for name, text in {**SEEDS, **shipped}.items():
        lines = [line.strip() for line in text.strip().splitlines()]
        (seeds / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = Settings.from_environment(
        {
            "FUNNEL_HOME": str(home),
            "FUNNEL_SEEDS": str(seeds),
            "FUNNEL_TIMEZONE": str(TIME_ZONE),
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
            *("--select", "resource_type:seed", "attribution"),
            *("int_touchpoints", "int_subject_persons", "int_channel_costs"),
            *("int_attributed_journeys", "int_attribution_touches", "int_attribution_periods"),
            *("int_touch_credits", "int_removal_effects", "int_attribution_credits"),
            *("int_acquisitions", "int_referrals", "int_retention_periods", "referrals"),
            *("acquisition_to_referral", "retention_triangles", "retention_curves"),
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
    tables: dict[str, tuple[str, list[tuple[object, ...]]]] = {
        "intermediate.int_run": (
            "as_of timestamp, reporting_currency varchar",
            [(AS_OF, "USD")],
        ),
        "core.dim_funnels": (
            "funnel_id varchar, subject_type varchar",
            [("shop", "visitor"), ("sales", "opportunity")],
        ),
        "core.dim_subjects": (
            "subject_type varchar, subject_id varchar",
            [
                *(("visitor", visitor) for visitor in WORLD.visitors),
                *(("opportunity", deal) for deal in WORLD.deals),
            ],
        ),
        "core.dim_persons": (
            "person_id varchar, account_id varchar",
            list(WORLD.accounts.items()),
        ),
        "core.dim_sessions": (
            "session_id varchar, user_id varchar, person_id varchar, channel varchar,"
            " started_at timestamp",
            [(f"s{n}", None, *session) for n, session in enumerate(WORLD.sessions)],
        ),
        "core.fct_journeys": (
            "funnel_id varchar, subject_id varchar, journey_number integer, outcome varchar,"
            " is_mature boolean, entered_at timestamp, ended_at timestamp, amount decimal(18, 4),"
            " entered_date date",
            [(*journey, _day(journey[5])) for journey in WORLD.journeys],
        ),
        "core.dim_funnel_stages": (
            "funnel_id varchar, stage_id varchar, stage_position integer, stage_kind varchar",
            [("shop", "visit", 1, "open"), ("shop", "paid", 2, "won")],
        ),
        "core.fct_journey_stages": (
            "funnel_id varchar, subject_id varchar, journey_number integer, stage_id varchar,"
            " counted_at timestamp",
            [
                *((*journey[:3], "visit", journey[5]) for journey in WORLD.journeys),
                *(
                    (*journey[:3], "paid", journey[6])
                    for journey in WORLD.journeys
                    if _is_won(journey)
                ),
            ],
        ),
        "intermediate.int_calendar_dates": (
            "calendar_date date",
            [(date(2024, 12, 1) + timedelta(days=number),) for number in range(140)],
        ),
        "intermediate.int_evidence": (
            "evidence_type varchar, person_id varchar, properties varchar, content_number bigint,"
            " occurred_at timestamp",
            [
                ("event", WORLD.visitors[visitor], f'{{"invited_by": "{name}"}}', number, at)
                for number, (visitor, name, at) in enumerate(WORLD.names)
            ],
        ),
        "intermediate.int_person_identifiers": (
            "identifier_type varchar, identifier varchar, person_id varchar",
            [
                *(("anonymous_id", *visitor) for visitor in WORLD.visitors.items()),
                *(("record_id", deal, person) for deal, person in WORLD.deals.items() if person),
            ],
        ),
        "intermediate.int_record_survivors": (
            "record_id varchar, surviving_record_id varchar",
            [],
        ),
        "intermediate.int_surviving_records": (
            "record_id varchar, account_id varchar",
            list(WORLD.deal_accounts.items()),
        ),
        "staging.stg_activities": (
            "activity_id varchar, record_id varchar, contact_id varchar, activity_type varchar,"
            " occurred_at timestamp",
            [
                (f"t{n}", deal, None, kind, at)
                for n, (deal, kind, at) in enumerate(WORLD.activities)
            ],
        ),
    }
    connection.execute("create schema core; create schema intermediate; create schema staging")
    for name, (columns, rows) in tables.items():
        connection.execute(f"create table {name} ({columns})")
        if rows:
            places = ", ".join("?" * len(rows[0]))
            connection.executemany(f"insert into {name} values ({places})", rows)


def _is_won(journey: tuple[Any, ...]) -> bool:
    return bool(journey[3] == "won")


def _day(instant: datetime) -> date:
    return instant.replace(tzinfo=ZoneInfo("UTC")).astimezone(TIME_ZONE).date()


def _month(instant: datetime) -> date:
    return _day(instant).replace(day=1)


def _acquired() -> dict[str, tuple[Any, ...]]:
    """By visitor: channel, instant, whether mature and won, amount in ten-thousandths."""
    touches = sorted(WORLD.touches(), key=lambda touch: (touch.at, touch.channel))
    first: dict[str, Touch] = {}
    for touch in touches:
        first.setdefault(touch.person_id, touch)
    found = {}
    for funnel, visitor, number, outcome, is_mature, at, _, amount in WORLD.journeys:
        if (funnel, number) != ("shop", 1):
            continue
        earliest = first.get(WORLD.visitors[visitor])
        channel = earliest.channel if earliest and earliest.at <= at else "(no touchpoint)"
        paid = amount if outcome == "won" else None
        found[visitor] = (channel, at, is_mature, outcome == "won", paid)
    return found


def _referrers() -> dict[str, str]:
    """By visitor, the visitor who brought them."""
    acquired = _acquired()
    found = {}
    for visitor, name, at in WORLD.names:
        if (
            at <= acquired[visitor][1]
            and name in acquired
            and name != visitor
            and acquired[name][1] < acquired[visitor][1]
        ):
            found[visitor] = name
    return found


@pytest.mark.parametrize("attribution", QUESTIONS)
def test_credits_are_those_of_each_path(built: Tables, attribution: str) -> None:
    """Prevents touchpoints outside the window, of others or of other months from being credited."""
    half_life = QUESTIONS[attribution][2] * DAY
    paths = WORLD.paths(attribution)
    months = {_month(path.ended_at) for path in paths if path.ended_at}
    assert len(months) >= 4
    checked = 0
    for month in (None, *sorted(months)):
        of_month = [
            path
            for path in paths
            if month is None or (path.ended_at and _month(path.ended_at) == month)
        ]
        conversions = sum(path.is_conversion for path in of_month)
        for model in MODELS:
            expected = credits_of(model, of_month, half_life)
            found = built.query(
                "select channel, conversions_credited, amount_credited, conversions, amount"
                " from marts.attribution where attribution_id = ? and model = ?"
                " and period_date is not distinct from ?",
                [attribution, model, month],
            )
            assert {row[0] for row in found if row[1]} <= set(expected)
            assert sum(row[1] for row in found) == conversions
            money = sum(path.amount or 0 for path in of_month if path.is_conversion)
            assert sum(row[2] for row in found) == Decimal(money) / 10_000
            for channel, credited, amount, all_conversions, all_amount in found:
                plain = expected.get(channel, (0.0, 0.0))
                near = 2e-6 * (conversions + 1)
                assert float(credited) == pytest.approx(plain[0], abs=near), (model, channel)
                assert float(amount) == pytest.approx(
                    plain[1] / 10_000, rel=1e-6, abs=1e-3 * (conversions + 1)
                ), (model, channel)
                assert all_conversions == conversions
                assert all_amount == Decimal(money) / 10_000
                checked += 1
    assert checked > 50


@pytest.mark.parametrize("attribution", QUESTIONS)
def test_removal_effects_are_those_of_solved_matrices(built: Tables, attribution: str) -> None:
    """Prevents the doubled sums of visits from stopping short of the chances they run to."""
    effects = removal_effects(WORLD.paths(attribution))
    found = dict(
        built.query(
            "select channel, removal_effect from marts.attribution where attribution_id = ?"
            " and model = 'removal_effect' and period_grain = 'all' and removal_effect is not null",
            [attribution],
        )
    )
    assert len(found) >= 4
    assert found == pytest.approx(effects, abs=1e-8)


def test_costs_are_those_of_the_months_and_return_needs_them_all(built: Tables) -> None:
    """Prevents a month without a declared cost from counting as one that cost nothing.

    Search cost 1000 USD in January; 1200.50 EUR at 1.2 make 1440.60 USD in March. SMS brought
    nobody, and has its row all the same. Of the months from December to April, Search has three.
    """
    rows = built.query(
        "select period_date, channel, cost, months_without_cost, amount_credited, return_on_cost,"
        " conversions_credited, cost_per_conversion from marts.attribution"
        " where attribution_id = 'shop_30' and model = 'linear'"
    )
    by_key = {(row[0], row[1]): row[2:] for row in rows}
    march = by_key[date(2025, 3, 1), "Search"]
    assert march[:2] == (Decimal("1440.60"), 0)
    assert march[3] == pytest.approx(float(march[2]) / 1440.60)
    assert march[5] == pytest.approx(1440.60 / float(march[4]))
    assert by_key[date(2025, 1, 1), "Social"][:2] == (None, 1)
    assert by_key[date(2025, 1, 1), "Social"][3] is None
    assert by_key[date(2025, 2, 1), "SMS"] == (Decimal(50), 0, 0, 0.0, 0, None)
    months = {row[0] for row in rows if row[0]}
    whole = by_key[None, "Search"]
    assert whole[:2] == (Decimal("3540.60"), len(months) - 3)
    assert len(months) > 3
    assert whole[3] is None


def test_a_worked_path_goes_to_its_channels(built: Tables) -> None:
    """Prevents the two implementations from being wrong alike: four paths, by hand.

    Search, Social and a conversion; Search and nothing; Social, E-mail and a conversion; E-mail
    and nothing. From the start 1/2 to Search, 1/4 each to Social and E-mail; Search goes on to
    Social by 1/2; Social to a conversion or to E-mail by 1/2 each; E-mail converts by 1/2. From
    E-mail 1/2, Social 3/4, Search 3/8 convert: 3/16 + 3/16 + 1/8 = 1/2 in all. Without Search
    3/16 + 1/8 is left, an effect of 3/8; without Social 1/8, an effect of 3/4; without E-mail
    Social converts by 1/2, Search by 1/4: 1/8 + 1/8 are left, an effect of 1/2.
    """
    at = datetime(2025, 1, 1)
    ways = (("Search Social", True), ("Search", False), ("Social E-mail", True), ("E-mail", False))
    paths = [
        Path(tuple(Touch("p", None, name, at) for name in way.split()), is_won, at)
        for way, is_won in ways
    ]
    assert removal_effects(paths) == pytest.approx(
        {"Search": 3 / 8, "Social": 3 / 4, "E-mail": 0.5}
    )
    assert built.query("select count(*) from marts.attribution")[0][0] > 300


def test_each_channel_has_those_it_brought(built: Tables) -> None:
    """Prevents people from being put under a later channel, another month, or no referrer."""
    acquired, brought = _acquired(), _referrers()
    assert len(brought) > 5
    months = sorted({_month(row[1]) for row in acquired.values()})
    channels = sorted({row[0] for row in acquired.values()})
    for month, channel in product((None, *months), ("all", *channels)):
        of = {
            visitor: row
            for visitor, row in acquired.items()
            if channel in ("all", row[0]) and month in (None, _month(row[1]))
        }
        won = {visitor: row for visitor, row in of.items() if row[3]}
        found = built.query(
            "select acquired, reached, mature_acquired, mature_reached, brought, amount,"
            " amount_unknown from marts.acquisition_to_referral where channel = ?"
            " and cohort_date is not distinct from ? order by stage_position",
            [channel, month],
        )
        expected = [
            (
                *(len(of), len(reached)),
                sum(row[2] for row in of.values()),
                sum(row[2] for row in reached.values()),
                sum(visitor in brought for visitor in reached),
                sum((row[4] or Decimal(0) for row in won.values()), Decimal(0)),
                sum(row[4] is None for row in won.values()),
            )
            for reached in (of, won)
        ]
        assert found == (expected if of else []), (month, channel)


def test_who_came_again_is_counted_by_calendar(built: Tables) -> None:
    """Prevents a session before the acquisition, or of another day in UTC, from being a return."""
    acquired = _acquired()
    starts: dict[str, Callable[[date], date]] = {
        "day": lambda day: day,
        "week": lambda day: day - timedelta(days=day.weekday()),
        "month": lambda day: day.replace(day=1),
    }
    rows = built.query(
        "select cohort_grain, cohort_date, period_date, is_whole, acquired, active"
        " from marts.retention_triangles where channel = 'all'"
    )
    assert len(rows) > 500
    for grain, cohort, period, is_whole, count, active in rows:
        start = starts[grain]
        of = [v for v, row in acquired.items() if start(_day(row[1])) == cohort]
        again = {
            visitor
            for visitor in of
            for person, _, at in WORLD.sessions
            if person == WORLD.visitors[visitor]
            and at >= acquired[visitor][1]
            and start(_day(at)) == period
        }
        days = {"day": 1, "week": 7, "month": 32}[grain]
        assert is_whole == (start(period + timedelta(days=days)) <= _day(AS_OF))
        assert (count, active) == (len(of), len(again) if is_whole else None), (grain, cohort)


def test_chains_of_referrals_are_those_that_lead_up(built: Tables) -> None:
    """Prevents a chain from stopping at its first step, or from counting somebody twice."""
    referrers = _referrers()
    ancestors = {}
    for visitor in referrers:
        chain = [visitor]
        while chain[-1] in referrers:
            chain.append(referrers[chain[-1]])
        ancestors[visitor] = chain[1:]
    assert max(map(len, ancestors.values())) > 1
    found = built.query(
        "select subject_id, generation, first_person_id, brought_directly, brought_in_all"
        " from marts.referrals where referrer_status = 'known'"
    )
    assert sorted(found) == sorted(
        (
            *(visitor, len(chain), f"visitor:{chain[-1]}"),
            sum(other[0] == visitor for other in ancestors.values()),
            sum(visitor in other for other in ancestors.values()),
        )
        for visitor, chain in ancestors.items()
    )
