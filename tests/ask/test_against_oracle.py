"""The funnels of any list, held against the oracle of the semantics, on random logs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from orchestration.published_tables import PublishedTable
from orchestration.release_macros import create_macros, release_macros
from tests.oracle.answers import answers_of
from tests.oracle.declared import Funnel, Rule, Stage
from tests.oracle.entries import Happening

NAMES = ("visit", "cart", "pay", "other")
STEPS = NAMES[:3]
START = datetime(2026, 1, 1)
SUBJECTS = 150
CASES = [
    (mode, policy, hours, optional)
    for mode in ("ordered", "strict")
    for policy in ("best", "first")
    for hours, optional in ((None, ()), (3, ()), (3, ("cart",)), (None, ("pay",)))
]
CASES += [("any", "best", None, ()), ("any", "best", 3, ()), ("furthest", "first", None, ())]

TABLES = {
    "dim_funnels": "(values ('shop', false)) as funnels (funnel_id, collapse_repeats)",
    "dim_funnel_stages": "(values ('shop', 'visit', 1), ('shop', 'cart', 2), ('shop', 'pay', 3)) "
    "as stages (funnel_id, stage_id, stage_position)",
    "dim_segments": "(values ('shop', 'region')) as segments (funnel_id, segment_name)",
    "fct_journeys": "(select 'shop' as funnel_id, '' as subject_id, 1 as journey_number, "
    "timestamp '2026-01-01' as entered_at, 'open' as outcome, false as was_won where false)",
    "fct_journey_segments": "(select 'shop' as funnel_id, '' as subject_id, 1 as journey_number, "
    "'' as segment_name, '' as segment_value where false)",
    "fct_journey_exclusions": "(select 'shop' as funnel_id, '' as subject_id where false)",
    "dim_sessions": "(select '' as session_id, '' as channel, '' as landing_page, "
    "'' as referrer_host, '' as campaign_source, '' as campaign_medium, '' as campaign_name "
    "where false)",
}


def random_log(seed: int) -> list[Happening]:
    """Events of some subjects within a day, on few instants, so that many are of the same one."""
    chance = random.Random(seed)
    return [
        Happening(
            f"u{subject}",
            START + timedelta(minutes=30 * chance.randrange(40)),
            chance.choice(NAMES),
            "log",
            1000 * subject + row,
        )
        for subject in range(SUBJECTS)
        for row in range(chance.randrange(1, 12))
    ]


LOG = random_log(seed=8)


def lowest_first(happening: Happening) -> tuple[Any, ...]:
    """The order of `funnel_order`: what is no stage stands behind those of its instant."""
    return (happening.subject, happening.at, NAMES.index(happening.name), happening.row)


@pytest.fixture(scope="module")
def reader() -> Iterator[duckdb.DuckDBPyConnection]:
    """A release of the log: its events and, as the funnel `shop`, its entries."""
    with duckdb.connect() as connection:
        for name, source in TABLES.items():
            connection.execute(f"create table {name} as select * from {source}")
        connection.execute(
            "create table fct_events (person_id varchar, event_number bigint, event_type varchar, "
            "event_name varchar, visitor_id varchar, session_id varchar, user_id varchar, "
            "account_id varchar, record_id varchar, occurred_at timestamp)"
        )
        connection.execute(
            "create table fct_stage_entries (funnel_id varchar, subject_id varchar, "
            "event_number bigint, stage_id varchar, stage_kind varchar, entered_at timestamp)"
        )
        by_instant = sorted(LOG, key=lambda one: (one.subject, one.at, one.row))
        for number, happening in enumerate(by_instant):
            connection.execute(
                "insert into fct_events values ($1, $2, 'event', $3, $1, null, $1, null, null, $4)",
                [happening.subject, number, happening.name, happening.at],
            )
        for number, happening in enumerate(sorted(LOG, key=lowest_first)):
            # What is no stage has a number too, as in a funnel that watches other events.
            if happening.name in STEPS:
                connection.execute(
                    "insert into fct_stage_entries values ('shop', $1, $2, $3, 'open', $4)",
                    [happening.subject, number, happening.name, happening.at],
                )
        tables = [
            PublishedTable("main", name, (), "", ())
            for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()
        ]
        create_macros(connection, release_macros(tables, "UTC"))
        yield connection


@pytest.mark.parametrize("subject", ["stages", "events"])
@pytest.mark.parametrize(("mode", "policy", "hours", "optional"), CASES)
def test_every_mode_counts_as_the_semantics_say(
    reader: duckdb.DuckDBPyConnection,
    subject: str,
    mode: str,
    policy: str,
    hours: int | None,
    optional: tuple[str, ...],
) -> None:
    """An ad hoc funnel would count other subjects than a declared one of the same stages."""
    funnel = Funnel(
        "shop",
        tuple(
            Stage(name, number, "open", name in optional) for number, name in enumerate(STEPS, 1)
        ),
        tuple(Rule(name, name) for name in STEPS),
        order_mode=mode,  # type: ignore[arg-type]
        entry_policy=policy,  # type: ignore[arg-type]
        tie_policy="funnel_order",
        window=timedelta(hours=hours) if hours else None,
        collapse_repeats=False,
    )
    journeys = answers_of(funnel, LOG, START + timedelta(days=60)).journeys
    expected = {(who, rows[0][3], rows[0][6]) for who, rows in journeys.items() if rows}

    who = "'shop'" if subject == "stages" else "'user'"
    found = reader.execute(
        f"select subject_id, furthest_step, started_at from subjects_of_{subject}({who}, ?, "
        "mode := ?, entry_policy := ?, window_hours := ?, optional := ?)",
        [list(STEPS), mode, policy, hours, list(optional)],
    ).fetchall()

    assert len(found) > SUBJECTS / 2
    assert len({step for _, step, _ in found}) == len(STEPS)
    assert set(found) == expected


def test_the_same_event_twice_asks_for_the_second_time(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    """One event would be counted as the first and the second."""
    carts: dict[str, int] = {}
    for happening in LOG:
        carts[happening.subject] = carts.get(happening.subject, 0) + (happening.name == "cart")
    rows = reader.execute(
        "select step, reached, step_rate from funnel_of_events('user', ['cart', 'cart', 'cart'])"
    ).fetchall()
    reached = [sum(count >= times for count in carts.values()) for times in (1, 2, 3)]
    assert [row[:2] for row in rows] == list(enumerate(reached, 1))
    assert [row[2] for row in rows] == [None, reached[1] / reached[0], reached[2] / reached[1]]


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("stages('shops', ['visit'])", "expected a funnel of this release (shop), found shops"),
        ("stages(null, ['visit'])", "expected a funnel of this release (shop), found null"),
        (
            "stages('shop', ['visit', 'cash', 'gift'])",
            "expected stages of shop (visit, cart, pay), found cash, gift",
        ),
        ("stages('shop', [])", "expected a list of stages of shop (visit, cart, pay), found none"),
        ("stages('shop', ['cart', 'cart'])", "expected each stage once, found cart, cart"),
        (
            "stages('shop', ['cart'], mode := 'loose')",
            "expected mode ordered, furthest, any or strict, found loose",
        ),
        (
            "stages('shop', ['cart'], entry_policy := 'last')",
            "expected entry_policy best or first, found last",
        ),
        (
            "stages('shop', ['cart'], mode := 'furthest', window_hours := 24)",
            "expected no window_hours in the mode furthest, found 24",
        ),
        ("stages('shop', ['cart'], window_hours := 0)", "expected window_hours above 0, found 0"),
        (
            "stages('shop', ['visit', 'cart'], optional := ['visit'])",
            "expected optional stages among those after the first, found visit",
        ),
        (
            "stages('shop', ['visit', 'cart'], mode := 'any', optional := ['cart'])",
            "expected no optional steps in the mode any",
        ),
        (
            "stages('shop', ['cart'], breakdown := 'colour')",
            "expected breakdown all, year, quarter, month, week, day or a segment of shop "
            "(region), found colour",
        ),
        (
            "events('users', ['cart'])",
            "expected subject_type visitor, session, user, person, account, lead or opportunity, "
            "found users",
        ),
        (
            "events('user', ['cash'])",
            "expected events of fct_events (event:cart, event:other, event:pay, event:visit), "
            "found cash",
        ),
        (
            "events('user', ['cart', 'cart'], mode := 'any')",
            "expected each event once in the mode any, found cart, cart",
        ),
        (
            "events('user', ['cart'], breakdown := 'region')",
            "expected breakdown all, year, quarter, month, week, day, channel, landing_page, "
            "referrer_host, campaign_source, campaign_medium or campaign_name, found region",
        ),
    ],
)
@pytest.mark.parametrize("macro", ["funnel_of", "subjects_of"])
def test_what_cannot_be_asked_is_refused_by_name(
    reader: duckdb.DuckDBPyConnection, macro: str, asked: str, problem: str
) -> None:
    """A misspelt stage would be a funnel without anybody in it, which looks like an answer."""
    with pytest.raises(duckdb.Error) as refused:
        reader.execute(f"from {macro}_{asked}").fetchall()
    name = f"{macro}_{asked.partition('(')[0]}"
    assert f"{name}: {problem}" in str(refused.value)


def test_mistakes_are_told_of_an_empty_release_too(reader: duckdb.DuckDBPyConnection) -> None:
    """Where nothing happened yet, an unknown name would look like a funnel of nobody."""
    with duckdb.connect() as connection:
        names = [
            name for (name,) in reader.execute("select table_name from duckdb_tables()").fetchall()
        ]
        for name in names:
            columns = ", ".join(
                f"{column} {kind}"
                for column, kind, *_ in reader.execute(f"describe {name}").fetchall()
            )
            connection.execute(f"create table {name} ({columns})")
        tables = [PublishedTable("main", name, (), "", ()) for name in names]
        create_macros(connection, release_macros(tables, "UTC"))
        for asked in ("funnel_of_stages('shop', ['a'])", "funnel_of_events('user', ['a'])"):
            with pytest.raises(duckdb.Error, match=r"expected .*, found"):
                connection.execute(f"from {asked}").fetchall()
