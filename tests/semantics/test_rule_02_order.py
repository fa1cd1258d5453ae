"""Rule 2: order, and equal instants under both tie policies."""

from __future__ import annotations

from datetime import datetime

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

LADDER = "visit\ncart\npaid won"

ties = case("ties")
by_source = ties.funnel("by_source", LADDER, tie_policy="source_order", depends_on_order=True)
by_funnel = ties.funnel("by_funnel", LADDER, tie_policy="funnel_order")
# Delivered upside down, all at one instant.
ties.events("down", "2024-01-01T10:00:00 paid\n2024-01-01T10:00:00 cart\n2024-01-01T10:00:00 visit")
ties.events("up", "2024-01-01T10:00:00 visit\n2024-01-01T10:00:00 cart\n2024-01-01T10:00:00 paid")
# The path decides before the row: tie_a is before tie_b, whatever the rows say.
ties.events("files", "2024-01-01T10:00:00 visit", file="tie_b.csv")
ties.events("files", "2024-01-01T10:00:00 cart", file="tie_a.csv")
ties.events("apart", "2024-01-01T10:00:00 visit\n2024-01-01T10:00:01 cart")


def test_source_order_keeps_the_order_of_delivery(warehouse: Tables) -> None:
    """Prevents equal instants from being put in an order that no source told."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        by_source,
        """
        subject_id  furthest_stage_id  outcome
        down        visit              open
        up          paid               won
        files       visit              open
        apart       cart               open
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        by_source,
        """
        subject_id  visit_number  stage_id  next_stage_id
        down        1             paid      cart
        down        2             cart      visit
        down        3             visit     still_there
        up          1             visit     cart
        up          2             cart      paid
        up          3             paid      ended
        files       1             cart      visit
        files       2             visit     still_there
        apart       1             visit     cart
        apart       2             cart      still_there
        """,
    )


def test_funnel_order_takes_the_lower_stage_first(warehouse: Tables) -> None:
    """Prevents a subject of a coarse clock from being stuck by the order of its rows."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        by_funnel,
        """
        subject_id  furthest_stage_id  outcome
        down        paid               won
        up          paid               won
        files       cart               open
        apart       cart               open
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        by_funnel,
        """
        subject_id  visit_number  stage_id  next_stage_id
        down        1             visit     cart
        down        2             cart      paid
        down        3             paid      ended
        up          1             visit     cart
        up          2             cart      paid
        up          3             paid      ended
        files       1             visit     cart
        files       2             cart      still_there
        apart       1             visit     cart
        apart       2             cart      still_there
        """,
    )


# Two pages at one instant: `b` is of the first stage, `a` of both.
shared = case("shared_instant")
shared_rules = [
    {"stage_id": "one", "match_value": "a"},
    {"stage_id": "one", "match_value": "b"},
    {"stage_id": "two", "match_value": "a"},
]
shared_funnels = [
    shared.funnel(
        f"{mode}_{entry_policy}_{count_by}",
        "one\ntwo",
        order_mode=mode,
        entry_policy=entry_policy,
        count_by=count_by,
        tie_policy="funnel_order",
        rules=shared_rules,
    )
    for mode in ("ordered", "strict", "any")
    for entry_policy, count_by in (("best", "subject"), ("first", "subject"), ("first", "journey"))
]
shared.declare(
    "segments",
    segment_name="page_at_entry",
    subject_type="user",
    attribute="page",
    taken_at="entry",
    funnel_id=shared_funnels[0],
)
shared.declare(
    "segments",
    segment_name="page_at_entry",
    subject_type="user",
    attribute="page",
    taken_at="entry",
    funnel_id=shared_funnels[6],
)
SHARED = 40
for number in range(SHARED):
    for page in "ab":
        shared.events(
            f"{number:02}",
            f"2024-01-01T10:00:00 {page} page={page}",
            event_id=f"shared_instant.{number}.{page}",
        )


def test_at_one_instant_the_lower_stage_is_served_first_by_whichever_event(
    warehouse: Tables,
) -> None:
    """Prevents how far a subject gets, and what it began with, from hanging on an event's id."""
    for funnel_id in shared_funnels:
        found = warehouse.query(
            "select entry_stage_id, furthest_stage_id, count(*) from core.fct_journeys"
            " where funnel_id = ? group by all",
            [funnel_id],
        )
        assert found == [("one", "two", SHARED)], funnel_id


def test_a_segment_taken_at_entry_is_of_the_event_that_the_entry_names(warehouse: Tables) -> None:
    """Prevents a journey that began with `b` from standing under the page `a`."""
    for funnel_id in (shared_funnels[0], shared_funnels[6]):
        found = warehouse.query(
            "select segment_value, count(*) from core.fct_journey_segments"
            " where funnel_id = ? and segment_name = 'page_at_entry' group by all",
            [funnel_id],
        )
        assert found == [("b", SHARED)], funnel_id


# Of the first two, `b` has to be the first stage for the third event to be the last.
earliest = case("earliest_instants")
earliest_funnels = [
    earliest.funnel(
        mode,
        "one\ntwo\nthree won",
        order_mode=mode,
        tie_policy="funnel_order",
        rules=[
            {"stage_id": stage, "match_value": event}
            for stage, event in (
                ("one", "a"),
                ("one", "b"),
                ("two", "a"),
                ("three", "a"),
                ("three", "b"),
            )
        ],
    )
    for mode in ("ordered", "any")
]
EARLIEST = 10
for number in range(EARLIEST):
    for hour, event in ((10, "a"), (10, "b"), (11, "a"), (21, "b")):
        earliest.events(
            f"{number:02}",
            f"2024-01-01T{hour}:00:00 {event}",
            event_id=f"earliest_instants.{number}.{hour}.{event}",
        )


def test_the_earliest_chain_is_told_by_instants(warehouse: Tables) -> None:
    """Prevents an event's id from deciding when a subject won, as both fit the first stage."""
    for funnel_id in earliest_funnels:
        found = warehouse.query(
            "select entered_at, ended_at, count(*) from core.fct_journeys"
            " where funnel_id = ? group by all",
            [funnel_id],
        )
        expected = (datetime(2024, 1, 1, 10), datetime(2024, 1, 1, 11), EARLIEST)
        assert found == [expected], funnel_id


# At the second instant one event is both the first stage and the third, the other the second.
straight = case("straight_at_one_instant")
straight_funnels = [
    straight.funnel(
        collapse,
        "one\ntwo optional\nthree",
        order_mode="strict",
        tie_policy="funnel_order",
        collapse_repeats=collapse,
        rules=[
            {"stage_id": "one", "match_value": "page"},
            {"stage_id": "two", "match_value": "form"},
            {"stage_id": "three", "match_value": "page"},
        ],
    )
    for collapse in ("true", "false")
]
straight.events(
    "ann", "2024-01-01T10:00:00 page\n2024-01-01T10:02:00 page\n2024-01-01T10:02:00 form"
)


def test_a_link_further_on_does_not_interrupt_a_strict_chain(warehouse: Tables) -> None:
    """Prevents the third step from standing in the way of the second, as it is like the first."""
    for funnel_id in straight_funnels:
        assert_rows(
            warehouse,
            "core.fct_journey_stages",
            funnel_id,
            """
            stage_id  evidence  reached_at
            one       observed  2024-01-01T10:00
            two       observed  2024-01-01T10:02
            three     observed  2024-01-01T10:02
            """,
        )


# What hangs on a tie, and what does not, whatever the funnel declares.
hanging = case("hanging")
hanging_by_source = hanging.funnel("by_source", LADDER, depends_on_order=True)
hanging_by_funnel = hanging.funnel("by_funnel", LADDER, tie_policy="funnel_order")
hanging_left = hanging.funnel(
    "left", LADDER, exclusions=[("visit", "cart", "logout")], depends_on_order=True
)
hanging_furthest = hanging.funnel(
    "furthest", LADDER, order_mode="furthest", tie_policy="funnel_order"
)
TEN = "2024-01-01T10:00:00"
LATER = "2024-01-01T10:05:00"
hanging.events("down", f"{TEN} cart\n{TEN} visit")
hanging.events("up", f"{TEN} visit\n{TEN} cart")
# The later cart stands in for the tied one, five minutes later.
hanging.events("again", f"{TEN} cart\n{TEN} visit\n{LATER} cart")
# Two carts at one instant are one thing under both policies.
hanging.events("twice", f"{TEN} visit\n{LATER} cart\n{LATER} cart")
# By delivery the logout lies between the visit and the cart; no stage, it comes last by stages.
hanging.events("leaves", f"{TEN} visit\n{LATER} logout\n{LATER} cart")
hanging.events("apart", f"{TEN} visit\n{LATER} cart")
hanging_accounts = hanging.funnel(
    "accounts",
    "new\noffer\nsold won",
    subject_type="account",
    order_mode="furthest",
    tie_policy="funnel_order",
    rules=[
        {"stage_id": stage, "match_value": stage, "rule_type": "opportunity_stage"}
        for stage in ("new", "offer", "sold")
    ],
)
for deal, stage in (("second", "offer"), ("first", "new")):
    hanging.record(deal, record_type="opportunity", stage=stage, account_id="hanging.acme")


def test_subjects_with_ties_are_told_from_those_whose_result_hangs_on_them(
    warehouse: Tables,
) -> None:
    """Prevents the tie policy from mattering unseen, and from being blamed for what it left alone.

    `left` alone knows the logout. Where stages may be skipped, the order of tied ones shows in
    the visits and not in how far a journey came. Deals without a date share that they have none.
    """
    funnels = (
        hanging_by_source,
        hanging_by_funnel,
        hanging_left,
        hanging_furthest,
        hanging_accounts,
    )
    expected = {
        hanging_by_source: {
            "down": (True, True),
            "up": (False, False),
            "again": (True, True),
            "twice": (False, False),
        },
        hanging_left: {
            "down": (True, True),
            "up": (False, False),
            "again": (True, True),
            "twice": (False, False),
            "leaves": (True, False),
        },
        hanging_furthest: {
            "down": (False, True),
            "up": (False, False),
            "again": (False, True),
            "twice": (False, False),
        },
        hanging_accounts: {"acme": (False, True)},
    }
    expected[hanging_by_funnel] = expected[hanging_by_source]
    found: dict[str, dict[str, tuple[bool, bool]]] = {funnel_id: {} for funnel_id in funnels}
    for funnel_id, subject, by_journeys, by_visits in warehouse.query(
        "select funnel_id, subject_id, journeys_hang_on_tie, visits_hang_on_tie"
        " from intermediate.int_tied_subjects where split_part(funnel_id, '.', 1) = 'hanging'"
    ):
        found[funnel_id][subject.removeprefix("hanging.")] = (by_journeys, by_visits)
    assert found == expected


def test_subjects_whose_result_hangs_on_a_tie_are_counted(warehouse: Tables) -> None:
    """Prevents a count that nobody can read: of five subjects with ties, three results hang."""
    counted = warehouse.query(
        "select measure, counted from core.control_totals"
        " where scope = ? and (measure like '%tie%') order by measure",
        [hanging_left],
    )
    assert counted == [
        ("subjects_with_journeys_by_tie", 3),
        ("subjects_with_results_by_tie", 3),
        ("subjects_with_ties", 5),
        ("subjects_with_visits_by_tie", 2),
    ]


def test_journeys_say_whether_they_hang_on_a_tie(warehouse: Tables) -> None:
    """Prevents an analyst from having to guess which journeys to look at twice.

    `leaves` has no journey by delivery: the logout voids it.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        hanging_left,
        """
        subject_id  furthest_stage_id  result_hangs_on_tie
        down        visit              yes
        up          cart               no
        again       cart               yes
        twice       cart               no
        apart       cart               no
        """,
    )


def test_nothing_is_published_of_the_order_that_is_not_declared(warehouse: Tables) -> None:
    """Prevents subjects from counting twice because their result was worked out twice."""
    found = warehouse.query(
        "select subject_id, stage_visits, journeys from core.dim_subjects"
        " where trim(subject_id) in ('hanging.down', 'ties.down') order by all"
    )
    # In four funnels and in two, with two stages and with three.
    assert found == [("hanging.down", 8, 4), ("ties.down", 6, 2)]
