"""Rule 3: stage entries and visits, repeats, and events that meet several stages; and the rules."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

repeats = case("repeats")
collapsed = repeats.funnel("collapsed", "visit\ncart\npaid won", collapse_repeats="true")
each_one = repeats.funnel("each_one", "visit\ncart\npaid won", collapse_repeats="false")
repeats.events(
    "ann",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 visit
    2024-01-01T10:05:00 cart
    2024-01-01T10:06:00 cart
    2024-01-01T10:07:00 cart
    2024-01-01T10:09:00 visit
    """,
)


def test_consecutive_entries_of_a_stage_are_one_visit_when_collapsed(warehouse: Tables) -> None:
    """Prevents rows that repeat a stage from cutting a stay into pieces."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        collapsed,
        """
        visit_number  stage_id  entered_at        exited_at         seconds_in_stage  next_stage_id
        1             visit     2024-01-01T10:00  2024-01-01T10:05  300               cart
        2             cart      2024-01-01T10:05  2024-01-01T10:09  240               visit
        3             visit     2024-01-01T10:09  -                 -                 still_there
        """,
    )


def test_each_entry_is_a_visit_when_not_collapsed(warehouse: Tables) -> None:
    """Prevents self-transitions from being lost where they are asked for."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        each_one,
        """
        visit_number  stage_id  entered_at        seconds_in_stage  next_stage_id
        1             visit     2024-01-01T10:00  60                visit
        2             visit     2024-01-01T10:01  240               cart
        3             cart      2024-01-01T10:05  60                cart
        4             cart      2024-01-01T10:06  60                cart
        5             cart      2024-01-01T10:07  120               visit
        6             visit     2024-01-01T10:09  -                 still_there
        """,
    )
    assert_rows(
        warehouse,
        "marts.conversion_matrix",
        each_one,
        """
        from_stage_id  to_stage_id  transitions  visits  subjects
        entry          visit        1            1       1
        visit          visit        1            3       1
        visit          cart         1            3       1
        visit          still_there  1            3       1
        cart           cart         2            3       1
        cart           visit        1            3       1
        """,
        where="cohort_grain = 'all' and segment_name = 'all' and transitions > 0",
    )


stepwise = case("stepwise")
# The same page is the first and the third step.
page_funnel = stepwise.funnel(
    "pages",
    "landing\nproduct\nreturn\npaid won",
    rules=[
        {"stage_id": "landing", "match_value": "page"},
        {"stage_id": "return", "match_value": "page"},
    ],
)
stepwise.events(
    "back",
    """
    2024-01-01T10:00:00 page
    2024-01-01T10:01:00 product
    2024-01-01T10:02:00 page
    2024-01-01T10:03:00 page
    """,
)
stepwise.events("once", "2024-01-01T10:00:00 page\n2024-01-01T10:01:00 product")


def test_an_event_that_meets_several_stages_serves_one_of_them(warehouse: Tables) -> None:
    """Prevents a page from counting as its own return.

    The journey takes the third row as the return; the fourth, which it does not need, is the
    lowest stage that it meets.
    """
    assert_rows(
        warehouse,
        "core.fct_journey_stages",
        page_funnel,
        """
        subject_id  stage_id  evidence  reached_at
        back        landing   observed  2024-01-01T10:00
        back        product   observed  2024-01-01T10:01
        back        return    observed  2024-01-01T10:02
        once        landing   observed  2024-01-01T10:00
        once        product   observed  2024-01-01T10:01
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        page_funnel,
        """
        subject_id  visit_number  stage_id  next_stage_id
        back        1             landing   product
        back        2             product   return
        back        3             return    landing
        back        4             landing   still_there
        once        1             landing   product
        once        2             product   still_there
        """,
    )


highest = case("highest")
highest_funnel = highest.funnel(
    "pages",
    "landing\nreturn\npaid won",
    order_mode="furthest",
    rules=[
        {"stage_id": "landing", "match_value": "page"},
        {"stage_id": "return", "match_value": "page"},
    ],
)
highest.events("once", "2024-01-01T10:00:00 page")


def test_where_stages_may_be_skipped_an_event_visits_the_highest(warehouse: Tables) -> None:
    """Prevents visits from standing lower than what the funnel counts as reached."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        highest_funnel,
        """
        subject_id  visit_number  stage_id  next_stage_id
        once        1             return    still_there
        """,
    )


folded = case("folded")
by_subject = folded.funnel("by_subject", "visit\ncart\npaid won", window=hours(1))
by_journey = folded.funnel(
    "by_journey",
    "visit\ncart\npaid won",
    window=hours(1),
    entry_policy="first",
    count_by="journey",
    exclusions=[("visit", "cart", "logout")],
)
folded.events(
    "again",
    "2024-01-01T10:00:00 visit\n2024-01-01T12:00:00 visit\n2024-01-01T12:10:00 cart",
)
folded.events(
    "excluded",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T10:01:00 logout
    2024-01-01T12:00:00 visit
    2024-01-01T12:10:00 cart
    """,
)
folded.events("late", "2024-01-01T10:00:00 visit\n2024-01-01T13:00:00 cart")


def test_a_visit_may_begin_before_its_journey_and_last_beyond_its_window(
    warehouse: Tables,
) -> None:
    """Prevents a visit from being cut where the best journey begins, or where its window ends."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        by_subject,
        """
        subject_id  visit_number  journey_number  entered_at        entries  next_stage_id
        again       1             1               2024-01-01T10:00  2        cart
        again       2             1               2024-01-01T12:10  1        abandoned
        excluded    1             1               2024-01-01T10:00  2        cart
        excluded    2             1               2024-01-01T12:10  1        abandoned
        late        1             1               2024-01-01T10:00  1        cart
        late        2             1               2024-01-01T13:00  1        abandoned
        """,
    )


def test_a_journey_after_another_begins_with_a_visit_of_its_own(warehouse: Tables) -> None:
    """Prevents a second journey from beginning in the middle of a visit of the first.

    The first entry of `excluded` opens no journey, so that the second begins no visit.
    """
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        by_journey,
        """
        subject_id  visit_number  journey_number  entered_at        entries  next_stage_id
        again       1             1               2024-01-01T10:00  1        visit
        again       2             2               2024-01-01T12:00  1        cart
        again       3             2               2024-01-01T12:10  1        abandoned
        excluded    1             1               2024-01-01T10:00  2        cart
        excluded    2             1               2024-01-01T12:10  1        abandoned
        late        1             1               2024-01-01T10:00  1        cart
        late        2             1               2024-01-01T13:00  1        abandoned
        """,
    )


twice = case("twice")
twice_funnel = twice.funnel(
    "visits",
    "first_visit\nsecond_visit\npaid won",
    rules=[
        {"stage_id": "first_visit", "match_value": "visit"},
        {"stage_id": "second_visit", "match_value": "visit"},
    ],
)
twice.events("one", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 paid")
twice.events("two", "2024-01-01T10:00:00 visit\n2024-01-01T10:05:00 visit")


def test_repeated_events_as_distinct_stages_need_as_many_events(warehouse: Tables) -> None:
    """Prevents one visit from being the first and the second at once."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        twice_funnel,
        """
        subject_id  furthest_stage_id  furthest_stage_position  outcome
        one         first_visit        1                        open
        two         second_visit       2                        open
        """,
    )


occurrences = case("occurrences")
occurrences_funnel = occurrences.funnel(
    "repurchase",
    "visit\nfirst_order won\nlater_order won",
    rules=[
        {"stage_id": "first_order", "match_value": "order", "occurrence": "1"},
        {"stage_id": "later_order", "match_value": "order", "occurrence": "2+"},
    ],
)
occurrences.events("one", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 order")
occurrences.events(
    "three",
    """
    2024-01-01T10:00:00 visit
    2024-01-01T11:00:00 order
    2024-01-02T11:00:00 order
    2024-01-03T11:00:00 order
    """,
)
# Its first order is before its visit, so that the one after the visit is its second.
occurrences.events(
    "early",
    "2024-01-01T09:00:00 order\n2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 order",
)


def test_occurrence_counts_the_matching_rows_of_a_subject(warehouse: Tables) -> None:
    """Prevents a returning buyer from counting as a new one."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        occurrences_funnel,
        """
        subject_id  visit_number  stage_id     entered_at
        one         1             visit        2024-01-01T10:00
        one         2             first_order  2024-01-01T11:00
        three       1             visit        2024-01-01T10:00
        three       2             first_order  2024-01-01T11:00
        three       3             later_order  2024-01-02T11:00
        early       1             first_order  2024-01-01T09:00
        early       2             visit        2024-01-01T10:00
        early       3             later_order  2024-01-01T11:00
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        occurrences_funnel,
        """
        subject_id  furthest_stage_id  outcome
        one         first_order        won
        three       later_order        won
        early       visit              open
        """,
    )


properties = case("properties")
properties_funnel = properties.funnel(
    "plans",
    "trial\npaid won",
    rules=[
        {
            "stage_id": "trial",
            "match_value": "plan",
            "property_name": "kind",
            "property_value": "trial",
        },
        {
            "stage_id": "paid",
            "match_value": "plan",
            "property_name": "kind",
            "property_value": "paid plan",
        },
    ],
)
properties.events("ann", "2024-01-01T10:00:00 plan kind=trial")
properties.events("bob", "2024-01-01T10:00:00 plan kind=Trial\n2024-01-01T10:00:00 plan")
properties.deliver(
    "events",
    "cases.csv",
    {
        "occurred_at": "2024-01-02T10:00:00",
        "event_name": properties.event_name("plan"),
        "user_id": properties.subject("ann"),
        "properties": '{"kind": "paid plan", "seats": 3}',
    },
)


def test_a_rule_may_ask_for_the_value_of_a_property(warehouse: Tables) -> None:
    """Prevents events of one name but another meaning from entering the stage."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        properties_funnel,
        """
        subject_id  visit_number  stage_id
        ann         1             trial
        ann         2             paid
        """,
    )


matches = case("matches")
matches_funnel = matches.funnel(
    "names",
    "landing\ndetail\npaid won",
    rules=[
        {"stage_id": "landing", "match_type": "prefix", "match_value": "land"},
        {"stage_id": "detail", "match_type": "regex", "match_value": "^item_[0-9]+$"},
        {"stage_id": "paid", "match_value": "paid"},
        {"stage_id": "paid", "match_value": "invoice"},
    ],
)
matches.events(
    "ann",
    """
    2024-01-01T10:00:00 landing_a
    2024-01-01T10:01:00 item_12
    2024-01-01T10:02:00 invoice
    """,
)
matches.events(
    "bob",
    """
    2024-01-01T10:00:00 lan
    2024-01-01T10:01:00 outland
    2024-01-01T10:02:00 item_
    2024-01-01T10:03:00 item_7x
    2024-01-01T10:04:00 Paid
    2024-01-01T10:05:00 paid_later
    """,
)


def test_rules_match_by_equality_prefix_or_regular_expression(warehouse: Tables) -> None:
    """Prevents names that merely look alike from entering; several rows are alternatives."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        matches_funnel,
        """
        subject_id  visit_number  stage_id
        ann         1             landing
        ann         2             detail
        ann         3             paid
        """,
    )


renames = case("renames")
renames_funnel = renames.funnel(
    "renamed",
    "start\ndemo\nwon won",
    rules=[
        {"stage_id": "start", "match_value": "hello"},
        {"stage_id": "start", "match_value": "welcome", "valid_to": "2024-03-31"},
        {"stage_id": "demo", "match_value": "welcome", "valid_from": "2024-04-01"},
    ],
)
# The days are those of New York, where 03:30 on 1 April is 23:30 on 31 March.
renames.events("before", "2024-03-20T10:00:00 welcome")
renames.events("evening", "2024-04-01T03:30:00 welcome")
renames.events("after", "2024-04-01T10:00:00 hello\n2024-04-02T10:00:00 welcome")


def test_validity_dates_carry_a_name_that_changed_its_meaning(warehouse: Tables) -> None:
    """Prevents a rename from rewriting what the old name meant before."""
    assert_rows(
        warehouse,
        "core.fct_stage_visits",
        renames_funnel,
        """
        subject_id  visit_number  stage_id
        before      1             start
        evening     1             start
        after       1             start
        after       2             demo
        """,
    )
