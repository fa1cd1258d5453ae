"""Segments: the values taken where they are declared to be, and what adds up of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.oracle.entries import Happening, entries_of_subject
from tests.oracle.journeys import Log, journeys_of_subject
from tests.oracle.segments import Segment, segment_values
from tests.semantics.cases import AS_OF, BOOK, REPORTING_TIMEZONE, assert_rows, case
from tests.semantics.random_segments import HANDED_FUNNELS, OWNERS, SEGMENTS, TOUCHED_FUNNELS
from tests.support.casebook import Case
from tests.support.tables import Tables


def declare_each_way(own: Case, funnel_id: str, subject_type: str, attribute: str) -> None:
    """Declare an attribute as five segments of a funnel: taken at each of the places there are."""
    for name, taken_at, stage_id in (
        ("entered", "entry", ""),
        ("staged", "stage", "offer"),
        ("first", "first", ""),
        ("last", "last", ""),
        ("each", "each", ""),
    ):
        own.declare(
            "segments",
            segment_name=f"{attribute}_{name}",
            subject_type=subject_type,
            attribute=attribute,
            taken_at=taken_at,
            stage_id=stage_id,
            funnel_id=funnel_id,
        )


def change_field(own: Case, record_id: str, field: str, rows: str) -> None:
    """Deliver changes of a record's field: `instant old new`, one a line, `-` for none."""
    for line in rows.strip().splitlines():
        at, *values = line.split()
        old, new = ("" if value == "-" else value for value in values)
        own.deliver(
            "field_changes",
            "cases.csv",
            {
                "record_id": own.subject(record_id),
                "field": field,
                "changed_at": at,
                "old_value": old,
                "new_value": new,
            },
        )


segments = case("segments")
segments.declare("segments", segment_name="channel", subject_type="user", attribute="channel")
segments.declare("segments", segment_name="region", subject_type="opportunity", attribute="region")
segments.declare(
    "segments", segment_name="product_line", subject_type="opportunity", attribute="product_line"
)

web_funnel = segments.funnel("web", "visit\ncart\npaid won")
segments.events(
    "ann",
    "2024-01-01T10:00:00 visit channel=search\n2024-01-01T10:05:00 cart channel=mail",
)
segments.events(
    "bob",
    """
    2024-01-01T09:00:00 cart channel=mail
    2024-01-01T10:00:00 visit channel=search
    """,
)
segments.events("cat", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 cart channel=mail")
segments.events("dan", "2024-01-01T10:00:00 visit channel=(missing)")


def test_the_value_of_a_segment_is_that_of_the_entry(warehouse: Tables) -> None:
    """Prevents journeys from changing their segment as they go on."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        web_funnel,
        """
        subject_id  segment_name  segment_value
        ann         channel       search
        bob         channel       search
        cat         channel       (missing)
        """,
        where="subject_id <> 'segments.dan'",
    )


def test_a_missing_value_is_apart_from_one_that_spells_the_same(warehouse: Tables) -> None:
    """Prevents a value of the data from being mixed with the journeys that have none."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        web_funnel,
        """
        subject_id  segment_name  segment_value
        cat         channel       (missing)
        dan         channel       "(missing)"
        """,
        where="subject_id in ('segments.cat', 'segments.dan')",
    )


deals_funnel = segments.funnel(
    "deals", "new\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
segments.changes("north", "2024-01-01T10:00:00 new", region="North", product_line="Pumps")
segments.changes("none", "2024-01-01T10:00:00 new")


def test_columns_of_a_record_may_be_segments_declared_columns_or_further_ones(
    warehouse: Tables,
) -> None:
    """Prevents a source's own columns from being lost on the way."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        deals_funnel,
        """
        subject_id  segment_name  segment_value
        north       region        North
        north       product_line  Pumps
        none        region        (missing)
        none        product_line  (missing)
        """,
    )


touches = case("touches")
touches_funnel = touches.funnel("web", "visit\noffer\npaid won")
declare_each_way(touches, touches_funnel, "user", "source")
touches.events(
    "ann",
    """
    2024-01-01T10:00:00 visit source=search
    2024-01-01T10:05:00 offer source=mail
    2024-01-01T10:10:00 paid source=search
    """,
)
# Says nothing at first, and never gets to the offer.
touches.events(
    "bob",
    "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 visit source=ads\n2024-01-01T10:10:00 visit",
)
# The mail came before the journey; the offer of the journey says nothing.
touches.events(
    "cat",
    """
    2024-01-01T10:00:00 offer source=mail
    2024-01-01T10:05:00 visit source=search
    2024-01-01T10:10:00 offer
    2024-01-01T10:15:00 offer source=ads
    """,
)
touches.events("dan", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 offer")


def test_a_value_is_taken_where_the_segment_says(warehouse: Tables) -> None:
    """Prevents what brought a journey about from being mixed with what came in between."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        touches_funnel,
        """
        subject_id  segment_name    segment_value
        ann         source_entered  search
        ann         source_staged   mail
        ann         source_first    search
        ann         source_last     search
        ann         source_each     search
        ann         source_each     mail
        bob         source_entered  (missing)
        bob         source_staged   (missing)
        bob         source_first    ads
        bob         source_last     ads
        bob         source_each     ads
        cat         source_entered  search
        cat         source_staged   (missing)
        cat         source_first    search
        cat         source_last     ads
        cat         source_each     search
        cat         source_each     ads
        dan         source_entered  (missing)
        dan         source_staged   (missing)
        dan         source_first    (missing)
        dan         source_last     (missing)
        dan         source_each     (missing)
        """,
        where="segment_name like 'source%'",
    )


def test_only_journeys_with_one_value_are_said_to_add_up(warehouse: Tables) -> None:
    """Prevents the four journeys from being read as six because two of them have two values."""
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        touches_funnel,
        """
        segment_name  segment_value  segment_adds_up  entered  reached
        all           all            yes              4        3
        source_last   search         yes              1        1
        source_last   ads            yes              2        1
        source_last   (missing)      yes              1        1
        source_each   search         no               2        2
        source_each   mail           no               1        1
        source_each   ads            no               2        1
        source_each   (missing)      no               1        1
        """,
        where="cohort_grain = 'all' and stage_id = 'offer'"
        " and segment_name in ('all', 'source_last', 'source_each')",
    )


# A further journey begins in the same stage as the one before ended in.
rounds = case("rounds")
rounds_funnel = rounds.funnel("web", "visit\noffer won", entry_policy="first", count_by="journey")
declare_each_way(rounds, rounds_funnel, "user", "source")
rounds.events(
    "ann",
    """
    2024-01-01T10:00:00 visit source=search
    2024-01-01T10:05:00 offer source=mail
    2024-01-02T10:00:00 visit source=ads
    2024-01-02T10:05:00 offer
    """,
)


def test_each_journey_has_the_values_of_its_own_entries(warehouse: Tables) -> None:
    """Prevents the last value of a subject from being given to a journey that was long over."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        rounds_funnel,
        """
        journey_number  segment_name    segment_value
        1               source_entered  search
        1               source_staged   mail
        1               source_first    search
        1               source_last     mail
        1               source_each     search
        1               source_each     mail
        2               source_entered  ads
        2               source_staged   (missing)
        2               source_first    ads
        2               source_last     ads
        2               source_each     ads
        """,
        where="segment_name like 'source%'",
    )


handovers = case("handovers")
handovers_funnel = handovers.funnel(
    "deals", "new\noffer\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
declare_each_way(handovers, handovers_funnel, "opportunity", "owner_id")
# The column of a record that no change was ever delivered of.
handovers.declare(
    "segments",
    segment_name="territory",
    subject_type="opportunity",
    attribute="territory",
    funnel_id=handovers_funnel,
)
handovers.changes(
    "north",
    "2024-01-02T10:00:00 new\n2024-01-04T10:00:00 offer\n2024-01-06T10:00:00 won",
    owner_id="dan",
    territory="N",
)
change_field(
    handovers,
    "north",
    "owner_id",
    """
    2024-01-01T10:00:00 ann bob
    2024-01-04T10:00:00 bob cat
    2024-01-08T10:00:00 cat dan
    """,
)
handovers.changes("south", "2024-01-02T10:00:00 new", owner_id="eve")
change_field(handovers, "south", "owner_id", "2024-01-03T10:00:00 - eve")
handovers.changes("west", "2024-01-02T10:00:00 new", owner_id="fay")
# Handed over after the as-of: the run does not know it yet.
handovers.changes("east", "2024-01-02T10:00:00 new\n2024-01-03T10:00:00 offer", owner_id="hal")
change_field(handovers, "east", "owner_id", "2025-01-01T06:00:00 gus hal")
handovers.changes("cleared", "2024-01-02T10:00:00 new")
change_field(handovers, "cleared", "owner_id", "2024-01-03T10:00:00 ida -")
handovers.changes("survivor", "2024-01-02T10:00:00 new", owner_id="kim")
handovers.record("copy", record_type="opportunity", merged_into_id="survivor", owner_id="kim")
change_field(handovers, "copy", "owner_id", "2024-01-03T10:00:00 joe kim")
handovers.record("undated", record_type="opportunity", stage="new", owner_id="max")
change_field(handovers, "undated", "owner_id", "2024-01-03T10:00:00 lou max")


def test_the_value_of_a_record_is_the_one_that_it_had_then(warehouse: Tables) -> None:
    """Prevents deals from being counted for an owner who took them over when they were won."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        handovers_funnel,
        """
        subject_id  segment_name      segment_value
        north       owner_id_entered  bob
        north       owner_id_staged   cat
        north       owner_id_first    bob
        north       owner_id_last     dan
        north       owner_id_each     bob
        north       owner_id_each     cat
        north       owner_id_each     dan
        south       owner_id_entered  (missing)
        south       owner_id_staged   (missing)
        south       owner_id_first    eve
        south       owner_id_last     eve
        south       owner_id_each     eve
        west        owner_id_entered  fay
        west        owner_id_staged   (missing)
        west        owner_id_first    fay
        west        owner_id_last     fay
        west        owner_id_each     fay
        east        owner_id_entered  gus
        east        owner_id_staged   gus
        east        owner_id_first    gus
        east        owner_id_last     gus
        east        owner_id_each     gus
        cleared     owner_id_entered  ida
        cleared     owner_id_staged   (missing)
        cleared     owner_id_first    ida
        cleared     owner_id_last     (missing)
        cleared     owner_id_each     ida
        survivor    owner_id_entered  joe
        survivor    owner_id_staged   (missing)
        survivor    owner_id_first    joe
        survivor    owner_id_last     kim
        survivor    owner_id_each     joe
        survivor    owner_id_each     kim
        undated     owner_id_entered  max
        undated     owner_id_staged   (missing)
        undated     owner_id_first    max
        undated     owner_id_last     max
        undated     owner_id_each     max
        """,
        where="segment_name like 'owner%'",
    )


def test_a_segment_says_whether_its_values_are_those_of_the_time(warehouse: Tables) -> None:
    """Prevents a record's present value from passing for the one that it had."""
    assert_rows(
        warehouse,
        "core.dim_segments",
        handovers_funnel,
        """
        segment_name      attribute  taken_at  stage_id  value_known   adds_up
        owner_id_entered  owner_id   entry     -         at_the_time   yes
        owner_id_staged   owner_id   stage     offer     at_the_time   yes
        owner_id_first    owner_id   first     -         at_the_time   yes
        owner_id_last     owner_id   last      -         at_the_time   yes
        owner_id_each     owner_id   each      -         at_the_time   no
        territory         territory  entry     -         current_only  yes
        """,
        where="segment_name like 'owner%' or segment_name = 'territory'",
    )


reopened = case("reopened_by_others")
reopened_funnel = reopened.funnel(
    "deals",
    "new\noffer\nwon won\nlost lost",
    subject_type="opportunity",
    order_mode="furthest",
    count_by="journey",
)
declare_each_way(reopened, reopened_funnel, "opportunity", "owner_id")
reopened.changes(
    "deal",
    """
    2024-01-02T10:00:00 new
    2024-01-04T10:00:00 lost
    2024-01-06T10:00:00 new
    2024-01-08T10:00:00 offer
    """,
    owner_id="dan",
)
change_field(
    reopened,
    "deal",
    "owner_id",
    """
    2024-01-03T10:00:00 ann bob
    2024-01-05T10:00:00 bob cat
    2024-01-06T10:00:00 cat dan
    """,
)


def test_a_journey_of_a_record_ends_where_the_next_begins(warehouse: Tables) -> None:
    """Prevents who reopened a deal from being counted for how it was lost."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        reopened_funnel,
        """
        journey_number  segment_name      segment_value
        1               owner_id_entered  ann
        1               owner_id_staged   (missing)
        1               owner_id_first    ann
        1               owner_id_last     cat
        1               owner_id_each     ann
        1               owner_id_each     bob
        1               owner_id_each     cat
        2               owner_id_entered  dan
        2               owner_id_staged   dan
        2               owner_id_first    dan
        2               owner_id_last     dan
        2               owner_id_each     dan
        """,
        where="segment_name like 'owner%'",
    )


# An account has deals, whose fields change, and orders, which have no attributes.
accounts = case("accounts_by_region")
accounts_funnel = accounts.funnel(
    "life",
    "offer\npaid won",
    subject_type="account",
    order_mode="furthest",
    rules=[
        {"stage_id": "offer", "rule_type": "opportunity_stage", "match_value": "offer"},
        {"stage_id": "paid", "rule_type": "purchase", "match_value": "delivered"},
    ],
)
declare_each_way(accounts, accounts_funnel, "account", "region")
accounts.changes(
    "deal", "2024-01-02T10:00:00 offer", account_id="accounts_by_region.acme", region="East"
)
change_field(accounts, "deal", "region", "2024-01-05T10:00:00 North East")
accounts.deliver(
    "orders",
    "cases.csv",
    {
        "order_id": "accounts_by_region.1",
        "account_id": "accounts_by_region.acme",
        "ordered_at": "2024-01-03T10:00:00",
        "amount": "5",
        "status": "delivered",
    },
)
# Before its only deal: what it was then is not known.
accounts.deliver(
    "orders",
    "cases.csv",
    {
        "order_id": "accounts_by_region.2",
        "account_id": "accounts_by_region.bolt",
        "ordered_at": "2024-01-01T10:00:00",
        "amount": "5",
        "status": "delivered",
    },
)
accounts.changes(
    "bolts", "2024-01-02T10:00:00 offer", account_id="accounts_by_region.bolt", region="West"
)


def test_a_subject_that_is_met_in_several_places_has_the_values_of_all(warehouse: Tables) -> None:
    """Prevents an order, which has no attributes, from hiding what the account's deals know."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        accounts_funnel,
        """
        subject_id  segment_name    segment_value
        acme        region_entered  North
        acme        region_staged   North
        acme        region_first    North
        acme        region_last     East
        acme        region_each     North
        acme        region_each     East
        bolt        region_entered  (missing)
        bolt        region_staged   West
        bolt        region_first    West
        bolt        region_last     West
        bolt        region_each     West
        """,
    )


people = case("people_by_name")
people_funnel = people.funnel("leads", "new\noffer won", subject_type="lead", order_mode="furthest")
declare_each_way(people, people_funnel, "lead", "name")
people.changes("lead", "2024-01-02T10:00:00 new", record_type="lead", name="Ann")
change_field(people, "lead", "name", "2024-01-03T10:00:00 Ann Bob")


def test_the_name_of_a_person_is_no_segment(warehouse: Tables) -> None:
    """Prevents names, which are no attribute of a record, from being published by its history."""
    assert_rows(
        warehouse,
        "core.fct_journey_segments",
        people_funnel,
        """
        segment_name  segment_value
        name_entered  (missing)
        name_staged   (missing)
        name_first    (missing)
        name_last     (missing)
        name_each     (missing)
        """,
    )


@pytest.mark.parametrize("funnel_id", (*TOUCHED_FUNNELS, *HANDED_FUNNELS))
@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda segment: segment.name)
def test_random_values_agree_with_the_oracle(
    warehouse: Tables, funnel_id: str, segment: Segment
) -> None:
    """Prevents a value that the words of the declarations do not give."""
    funnel = BOOK.funnels[funnel_id]
    of_subject: dict[str, list[Happening]] = {}
    for happening in BOOK.happenings[BOOK.scope_of[funnel_id]]:
        if happening.at is not None and happening.at < AS_OF:
            of_subject.setdefault(happening.subject, []).append(happening)
    expected = set()
    attribute = replace(segment, attribute="channel")
    for subject, own in of_subject.items():
        log = Log(
            funnel, tuple(own), tuple(entries_of_subject(funnel, own, REPORTING_TIMEZONE)), AS_OF
        )
        journeys, _ = journeys_of_subject(log)
        expected |= {
            (subject, *row) for row in segment_values(log, journeys, attribute, OWNERS.get(subject))
        }
    found = warehouse.query(
        "select subject_id, journey_number, segment_value from core.fct_journey_segments"
        " where funnel_id = ? and segment_name = ?",
        [funnel_id, f"random_{segment.name}"],
    )
    assert len({value for _, _, value in expected}) > 3
    assert len(found) == len(set(found))
    assert sorted(expected ^ set(found)) == []


def test_the_row_all_all_is_always_there(warehouse: Tables) -> None:
    """Prevents totals that only exist where no segment is declared."""
    funnels = warehouse.query("select count(*) from core.dim_funnels")
    totals = warehouse.query(
        "select count(distinct funnel_id) from marts.funnel_conversion"
        " where cohort_grain = 'all' and segment_name = 'all' and segment_value = 'all'"
    )
    assert totals == funnels
