"""The tables on customers and trends, cell by cell from the files that were delivered.

Each mart for what it says of one funnel, recounted in plain Python (`recounted.py`). Prevents a
mart that is right by its inputs, and whose inputs lose, double or shift rows on their way.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from orchestration.settings import Settings
from tests.ask.recounted import CHANNELS, Event, Recounted

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 2, 16)
WINDOW = timedelta(hours=168)


@pytest.fixture(scope="module")
def raw(release_settings: Settings) -> Iterator[Recounted]:
    """What was delivered."""
    with duckdb.connect(str(release_settings.build), read_only=True) as build:
        persons = {
            (kind, identifier): person
            for kind, identifier, person in build.execute(
                "select identifier_type, identifier, person_id"
                " from intermediate.int_person_identifiers"
            ).fetchall()
        }
        [(as_of,)] = build.execute("select as_of from intermediate.int_run").fetchall()
    assert as_of == AS_OF
    yield Recounted(release_settings.landing, release_settings.seeds, AS_OF, persons)


def rows(reader: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return reader.execute(query).fetchall()


def web_journeys(raw: Recounted) -> dict[str, tuple[datetime, int]]:
    """When each visitor entered the funnel of the shop, and how far they got."""
    return {
        visitor: (journey[6], journey[3])  # type: ignore[misc]
        for visitor, [journey] in raw.web_purchase.journeys.items()
    }


def property_at(raw: Recounted, visitor: str, at: datetime, name: str) -> str | None:
    """A property of the event with which a journey began; of several at that instant, of any."""
    for event in raw.of_visitors[visitor]:
        if event.at == at and event.name in ("session_start", "page_view", "cart_added"):
            return event.properties.get(name)
    raise AssertionError((visitor, at))


def test_page_exits(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """All events of all sessions: views, first and last ones, also of events at one instant."""
    views: Counter[tuple[str, str]] = Counter()
    entrances: Counter[tuple[str, str]] = Counter()
    exits: Counter[tuple[str, str]] = Counter()

    def place(event: Event) -> tuple[str, str]:
        return event.name, event.properties.get("page_type", "(no page)")

    for events in raw.sessions.values():
        views.update(place(event) for event in events)
        entrances[place(events[0])] += 1
        exits[place(events[-1])] += 1
    found = rows(reader, "select evidence_name, page, views, entrances, exits from page_exits")
    assert {row[:2]: row[2:] for row in found} == {
        one: (views[one], entrances[one], exits[one]) for one in views
    }


def test_funnel_trends_and_reviews(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """Each day's entries, and each week's step to the cart, of journeys that had their time."""
    entries: Counter[date] = Counter()
    weeks: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    for entered, position in web_journeys(raw).values():
        entries[entered.date()] += 1
        week = weeks[entered.date() - timedelta(days=entered.weekday())]
        week[0] += position >= 3
        week[1] += position >= 2
    last = (AS_OF - WINDOW).date() - timedelta(days=1)
    found = rows(
        reader,
        """
        select period_date, cases from funnel_trends
        where funnel_id = 'web_purchase' and metric = 'entries' and period_grain = 'day'
            and segment_name = 'all'
        """,
    )
    assert len(found) > 150
    assert dict(found) == {day: entries[day] for day, _ in found}
    # Whoever came is counted at once.
    assert max(day for day, _ in found) == AS_OF.date() - timedelta(days=1)
    found = rows(
        reader,
        """
        select period_date, cases, trials from funnel_trends
        where funnel_id = 'web_purchase' and metric = 'step_rate' and stage_id = 'cart'
            and period_grain = 'week' and segment_name = 'all'
        """,
    )
    assert len(found) > 20
    assert [row for row in found if weeks[row[0]] != [row[1], row[2]]] == []
    assert max(week for week, *_ in found) == last - timedelta(days=6)
    [review] = rows(
        reader,
        """
        select period_date, cases, trials, previous_cases, previous_trials from weekly_review
        where funnel_id = 'web_purchase' and metric = 'step_rate' and stage_id = 'cart'
        """,
    )
    monday = last - timedelta(days=6)
    assert review == (monday, *weeks[monday], *weeks[monday - timedelta(days=7)])


def test_rate_change_explained(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """January against December, by where visitors landed."""
    counts: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])
    for visitor, (entered, position) in web_journeys(raw).items():
        landing = property_at(raw, visitor, entered, "landing")
        cell = counts[entered.date().replace(day=1), str(landing)]
        cell[0] += position >= 2
        cell[1] += 1
    found = rows(
        reader,
        """
        select
            segment_value, successes, trials, previous_successes, previous_trials, total_mix_effect,
            total_rate_effect
        from rate_change_explained
        where funnel_id = 'web_purchase' and stage_id = 'product_view' and rate_name = 'step_rate'
            and segment_name = 'landing' and cohort_grain = 'month' and cohort_date = '2026-01-01'
        """,
    )
    now, before = date(2026, 1, 1), date(2025, 12, 1)
    landings = ("catalogue", "magazine")
    assert {row[0]: row[1:5] for row in found} == {
        one: (*counts[now, one], *counts[before, one]) for one in landings
    }
    totals = {month: sum(counts[month, one][1] for one in landings) for month in (now, before)}
    mix = within = Fraction(0)
    for one in landings:
        rate = {month: Fraction(*counts[month, one]) for month in totals}
        share = {month: Fraction(counts[month, one][1], totals[month]) for month in totals}
        mix += (share[now] - share[before]) * (rate[now] + rate[before]) / 2
        within += (rate[now] - rate[before]) * (share[now] + share[before]) / 2
    assert found[0][5] == pytest.approx(float(mix), abs=1e-12)
    assert found[0][6] == pytest.approx(float(within), abs=1e-12)


def test_experiment_results(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """Who got which variant of the experiment with prices, and how many of them got how far."""
    subjects: Counter[str] = Counter()
    reached: Counter[tuple[str, int]] = Counter()
    for visitor, (entered, position) in web_journeys(raw).items():
        variant = property_at(raw, visitor, entered, "price_display")
        if date(2025, 9, 8) <= entered.date() <= date(2025, 11, 2) and variant:
            subjects[variant] += 1
            reached.update((variant, one) for one in range(2, position + 1))
    found = rows(
        reader,
        """
        select variant, stage_position, subjects, mature_subjects, reached from experiment_results
        where experiment_id = 'prices on the page'
        """,
    )
    assert len(found) == 10
    for variant, position, *counts in found:
        assert counts == [subjects[variant], subjects[variant], reached[variant, position]]


def test_conversion_drivers(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """Devices, and what was done before the cart and the product, and who got one step further."""
    found = rows(
        reader,
        """
        select
            to_stage_id, factor_value, cases, converted, other_cases, other_converted, odds_ratio
        from conversion_drivers
        where funnel_id = 'web_purchase' and to_stage_id in ('cart', 'checkout')
            and (factor_kind = 'behaviour' or factor_name = 'device')
        """,
    )
    expected = {}
    for step in ("cart", "checkout"):
        cases = list(_on_their_way(raw, step))
        for name in {"desktop", "mobile", "tablet"}.union(*(done for _, done, _ in cases)):
            # Converted, all: with the factor and without it, by the length of the path without it.
            counts: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
            for device, done, has_converted in cases:
                place = 0 if name == device or name in done else 2
                length = sum(times for other, times in done.items() if other != name)
                stratum = counts[max(fewest for fewest in (0, 1, 2, 4, 8) if fewest <= length)]
                stratum[place] += has_converted
                stratum[place + 1] += 1
            sums = [sum(column) for column in zip(*counts.values(), strict=True)]
            if sums[1] and sums[3]:
                odds = [
                    sum(
                        Fraction(one * (others - other), all_ + others)
                        if speaks_for
                        else Fraction((all_ - one) * other, all_ + others)
                        for one, all_, other, others in counts.values()
                    )
                    for speaks_for in (True, False)
                ]
                ratio = float(odds[0] / odds[1]) if odds[1] else None
                expected[step, name] = (sums[1], sums[0], sums[3], sums[2], ratio)
    assert {row[:2]: row[2:6] for row in found} == {key: of[:4] for key, of in expected.items()}
    assert len(found) > 10
    for *key, _, _, _, _, ratio in found:
        assert ratio == pytest.approx(expected[key[0], key[1]][4], rel=1e-9), key


def _on_their_way(raw: Recounted, step: str) -> Iterator[tuple[str | None, Counter[str], bool]]:
    """Device, what was done how often before, and whether it was reached, of all who could."""
    before = {"cart": "product_view", "checkout": "cart"}[step]
    for visitor, [journey] in raw.web_purchase.journeys.items():
        stages = {row[1]: row for row in raw.web_purchase.journey_stages[visitor]}
        entered = journey[6]
        assert isinstance(entered, datetime)
        # Of events, nothing is imputed but what was passed over.
        if entered + WINDOW >= AS_OF or before not in stages or stages[before][3] == "imputed":
            continue
        reached = stages[before][4]
        assert isinstance(reached, datetime)
        done = Counter(one.name for one in raw.of_visitors[visitor] if entered < one.at < reached)
        yield property_at(raw, visitor, entered, "device"), done, step in stages


def test_attribution(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """The purchases of November by the first, the last and all channels of thirty days before."""
    shares: dict[str, dict[str, Fraction]] = {
        model: defaultdict(Fraction) for model in ("first_touch", "last_touch", "linear")
    }
    touches: Counter[str] = Counter()
    won = 0
    for visitor, [journey] in raw.web_purchase.journeys.items():
        ended = journey[7]
        if journey[4] != "won" or not isinstance(ended, datetime) or ended.month != 11:
            continue
        won += 1
        person = raw.persons.get(("anonymous_id", visitor)) or raw.persons["user_id", visitor]
        channels = [
            channel
            for at, channel in raw.touches[person]
            if ended - timedelta(days=30) <= at <= ended
        ]
        touches.update(channels)
        shares["first_touch"][channels[0]] += 1
        shares["last_touch"][channels[-1]] += 1
        for channel in channels:
            shares["linear"][channel] += Fraction(1, len(channels))
    found = rows(
        reader,
        """
        select model, channel, conversions_credited, touches, conversions from attribution
        where attribution_id = 'purchases' and period_grain = 'month'
            and period_date = '2025-11-01' and model in ('first_touch', 'last_touch', 'linear')
        """,
    )
    assert won > 20
    for model, channel, credited, touched, conversions in found:
        assert conversions == won
        assert touched == touches[channel]
        # Millionths are dealt out so that they add up.
        assert float(credited) == pytest.approx(float(shares[model][channel]), abs=2e-6)
    assert {row[1] for row in found if row[3]} == set(touches)


def test_referrals(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """Who names whom at the sign-up, and how many each of them brought in turn."""
    brought_by: dict[str, str] = {}
    for event in sorted(raw.events, key=lambda one: (one.at, one.file, one.row)):
        if event.name == "sign_up" and "invited_by" in event.properties:
            brought_by.setdefault(str(event.user), event.properties["invited_by"])
    found = rows(
        reader,
        "select subject_id, referrer_person_id, referrer_status, brought_directly, generation"
        " from referrals",
    )
    assert len(found) > 15
    persons = {user: raw.persons.get(("user_id", user), user) for user in brought_by}
    inviters = {
        user: raw.persons.get(("user_id", inviter), inviter) for user, inviter in brought_by.items()
    }
    assert {row[:2] for row in found} == set(inviters.items())
    assert {row[2] for row in found} == {"known"}
    of_person = {persons[user]: inviter for user, inviter in inviters.items()}
    for user, _, _, brought, generation in found:
        assert brought == sum(inviter == persons[user] for inviter in inviters.values())
        length, person = 0, persons[user]
        while person in of_person:
            length, person = length + 1, of_person[person]
        assert generation == length


def test_retention(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """Who signed up in which month, and came again in which later one."""
    acquired: Counter[date] = Counter()
    active: Counter[tuple[date, date]] = Counter()
    signed_up: dict[str, datetime] = {}
    for event in raw.events:
        if event.name == "sign_up":
            user = str(event.user)
            signed_up[user] = min(event.at, signed_up.get(user, event.at))
    for user, at in signed_up.items():
        month = at.date().replace(day=1)
        acquired[month] += 1
        touches = raw.touches.get(raw.persons.get(("user_id", user), user), [])
        months = {begun.date().replace(day=1) for begun, _ in touches if begun >= at}
        active.update((month, one) for one in months)
    found = rows(
        reader,
        """
        select cohort_date, period_date, acquired, active from retention_triangles
        where funnel_id = 'growth_aarrr' and cohort_grain = 'month' and channel = 'all' and is_whole
        """,
    )
    assert len(found) > 15
    assert sum(row[3] for row in found) > 50
    for cohort, period, *counts in found:
        assert counts == [acquired[cohort], active[cohort, period]], (cohort, period)
    curve = rows(
        reader,
        """
        select period_number, acquired, active from retention_curves
        where funnel_id = 'growth_aarrr' and cohort_grain = 'month' and channel = 'all'
        """,
    )
    for number, *counts in curve:
        cells = [row for row in found if _months_between(row[0], row[1]) == number]
        assert counts == [sum(row[2] for row in cells), sum(row[3] for row in cells)]


def _months_between(first: date, last: date) -> int:
    return 12 * (last.year - first.year) + last.month - first.month


def test_customer_value(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """Orders, revenue, first and last day of every customer, refunded ones left out."""
    customers: dict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
    for order in raw.orders:
        if order["status"] != "completed":
            continue
        user = order["user_id"]
        customer = (
            ("person", raw.persons.get(("user_id", user), user))
            if user
            else ("account", order["account_id"])
        )
        day = order["at"].date()
        customers[customer].append((day, raw.in_dollars(order["amount"], order["currency"], day)))
    found = rows(
        reader,
        """
        select
            customer_type, customer_id, orders, revenue, first_order_date, last_order_date,
            recency_days, frequency_score
        from customer_value
        """,
    )
    assert len(found) == len(customers) > 150
    for kind, name, orders, revenue, first, last, recency, frequency in found:
        own = sorted(customers[kind, name])
        assert (orders, first, last) == (len(own), own[0][0], own[-1][0])
        # Half a hundredth of a cent is rounded up by one, and to even by the other.
        assert abs(revenue - sum(amount for _, amount in own)) <= Decimal("0.0001") * orders
        assert recency == (AS_OF.date() - timedelta(days=1) - last).days
        assert frequency == sum(orders >= bound for bound in (0, 2, 3, 4, 6))


def lead_outcome(stages: list[tuple[datetime, str]]) -> str:
    """Won or lost by the last stage, open where it is an open one."""
    return {"converted": "won", "disqualified": "lost"}.get(stages[-1][1], "open")


def test_lead_qualification(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """Money, authority and need of every lead by the shipped rules."""
    money = {"1-49": "absent"}
    authority = dict.fromkeys(("email", "paid_ads", "qr_code", "social"), "absent")
    authority |= dict.fromkeys(
        ("direct", "outbound", "referral", "telephone", "trade_fair"), "present"
    )
    need = dict.fromkeys(("desks", "meeting rooms", "seating", "storage"), "present")
    need |= {"lighting": "absent"}
    expected = {
        lead: (
            money.get(row["company_size"], "present"),
            authority.get(row["lead_source"], "unknown"),
            need.get(row["product"], "unknown"),
            lead_outcome(raw.lead_stages[lead]),
        )
        for lead, row in raw.leads.items()
    }
    found = rows(
        reader, "select subject_id, money, authority, need, outcome from lead_qualification"
    )
    assert len(found) > 100
    assert {row[0]: row[1:] for row in found} == expected


def test_journey_paths(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """The ways of all leads through their stages, without the one that ended them."""
    paths: Counter[tuple[str, str]] = Counter()
    for stages in raw.lead_stages.values():
        outcome = lead_outcome(stages)
        names = [name for _, name in stages]
        paths[" > ".join(names if outcome == "open" else names[:-1]) or "(none)", outcome] += 1
    journeys: Counter[str] = Counter()
    for (path, _), count in paths.items():
        journeys[path] += count
    found = rows(
        reader,
        """
        select path, journeys, won, cohort_journeys from journey_paths
        where funnel_id = 'lead_qualification' and cohort_grain = 'all' and path_rank is not null
        """,
    )
    assert len(found) > 10
    for path, count, won, total in found:
        assert (count, won) == (journeys[path], paths[path, "won"]), path
        assert total == len(raw.leads)


def test_next_steps(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """What visitors did next after each stay at the cart, whatever funnel it is of."""
    following: Counter[tuple[str, str]] = Counter()
    for visitor, visits in raw.web_purchase.visits.items():
        for visit in visits:
            if visit[2] != "cart":
                continue
            entered = visit[7]
            assert isinstance(entered, datetime)
            later = [event for event in raw.of_visitors[visitor] if event.at > entered]
            if not later:
                following["nothing", "nothing"] += 1
                continue
            first = min(event.at for event in later)
            following["event", min(event.name for event in later if event.at == first)] += 1
    found = rows(
        reader,
        "select next_type, next_name, visits from next_steps"
        " where funnel_id = 'web_purchase' and stage_id = 'cart'",
    )
    assert {row[:2]: row[2] for row in found} == following
    assert sum(following.values()) > 300


def test_lead_score(raw: Recounted, reader: duckdb.DuckDBPyConnection) -> None:
    """The points of every lead, from those of its attributes, and the counts behind them."""
    samples = dict(
        rows(
            reader,
            "select subject_id, sample from lead_score where funnel_id = 'lead_qualification'",
        )
    )
    assert set(samples) == set(raw.leads)
    training = [lead for lead, sample in samples.items() if sample == "training"]
    won = {lead for lead in training if lead_outcome(raw.lead_stages[lead]) == "won"}
    features = ("lead_source", "region", "product", "company_size")
    points = {}
    for feature in features:
        for value in {raw.leads[lead][feature] for lead in training}:
            those = [lead for lead in training if raw.leads[lead][feature] == value]
            hits, share = len(won.intersection(those)), len(won) / len(training)
            shrunk = (hits + 10 * share) / (len(those) + 10)
            logit = math.log(shrunk / (1 - shrunk)) - math.log(share / (1 - share))
            points[feature, value] = (len(those), hits, round(10 * logit / math.log(2)))
    found = rows(
        reader,
        "select feature_name, feature_value, journeys, won, points from lead_score_points"
        " where funnel_id = 'lead_qualification'",
    )
    assert {row[:2]: row[2:] for row in found} == points
    scores = rows(
        reader, "select subject_id, score from lead_score where funnel_id = 'lead_qualification'"
    )
    for lead, score in scores:
        own = [points.get((one, raw.leads[lead][one]), (0, 0, 0))[2] for one in features]
        assert score == sum(own), lead


def test_channels_are_those_of_the_rules(raw: Recounted) -> None:
    """Prevents the recount from passing on a company of one channel."""
    found = {channel for touches in raw.touches.values() for _, channel in touches}
    assert found == set(CHANNELS.values())
