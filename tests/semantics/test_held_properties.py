"""Properties that are held constant: the same product through all steps of a journey."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case, hours
from tests.support.tables import Tables

WEB = "view\ncart\npaid won\nbounced lost"

held = case("held_property")
held_best = held.funnel("best", WEB, hold_constant="product")
held_first = held.funnel("first", WEB, hold_constant="product", entry_policy="first")
held_strict = held.funnel("strict", WEB, hold_constant="product", order_mode="strict")
held_any = held.funnel("any", WEB, hold_constant="product", order_mode="any")
free = held.funnel("free", WEB)
# Two products, each viewed, one of them put into the cart, the other one paid.
held.events(
    "mixed",
    """
    2024-01-01T10:00:00 view product=hat
    2024-01-01T10:01:00 view product=shoe
    2024-01-01T10:02:00 cart product=shoe
    2024-01-01T10:03:00 paid product=hat
    """,
)
# The second product gets further than the first.
held.events(
    "second",
    """
    2024-01-01T10:00:00 view product=hat
    2024-01-01T10:01:00 cart product=hat
    2024-01-01T10:02:00 view product=shoe
    2024-01-01T10:03:00 cart product=shoe
    2024-01-01T10:04:00 paid product=shoe
    """,
)
held.events(
    "unsaid",
    """
    2024-01-01T10:00:00 view
    2024-01-01T10:01:00 view product=hat
    2024-01-01T10:02:00 cart
    2024-01-01T10:03:00 cart product=hat
    """,
)
held.events("nothing", "2024-01-01T10:00:00 view\n2024-01-01T10:01:00 cart")
# The loss has no product, and ends the journey all the same.
held.events("lost", "2024-01-01T10:00:00 view product=hat\n2024-01-01T10:01:00 bounced")
held.events(
    "backwards", "2024-01-01T10:00:00 cart product=shoe\n2024-01-01T10:01:00 view product=shoe"
)


def test_all_entries_of_a_journey_have_one_value(warehouse: Tables) -> None:
    """Prevents a cart of shoes from standing for the way of a hat, and the best of several values.

    What has no value serves no stage: `nothing` has no journey, `unsaid` begins with its second
    view.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        held_best,
        """
        subject_id  entered_at        furthest_stage_id  held_value  outcome
        mixed       2024-01-01T10:01  cart               shoe        open
        second      2024-01-01T10:02  paid               shoe        won
        unsaid      2024-01-01T10:01  cart               hat         open
        lost        2024-01-01T10:00  view               hat         lost
        backwards   2024-01-01T10:01  view               shoe        open
        """,
    )


def test_without_it_any_value_leads_on(warehouse: Tables) -> None:
    """Prevents funnels that hold nothing from being narrowed, or from showing a value."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        free,
        """
        subject_id  entered_at        furthest_stage_id  held_value  outcome
        mixed       2024-01-01T10:00  paid               -           won
        second      2024-01-01T10:00  paid               -           won
        unsaid      2024-01-01T10:00  cart               -           open
        nothing     2024-01-01T10:00  cart               -           open
        lost        2024-01-01T10:00  view               -           lost
        backwards   2024-01-01T10:01  view               -           open
        """,
    )


def test_first_is_the_first_entry_that_has_a_value(warehouse: Tables) -> None:
    """Prevents a later and luckier product from counting where the first entry is asked for."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        held_first,
        """
        subject_id  entered_at        furthest_stage_id  held_value  outcome
        mixed       2024-01-01T10:00  view               hat         open
        second      2024-01-01T10:00  cart               hat         open
        unsaid      2024-01-01T10:01  cart               hat         open
        lost        2024-01-01T10:00  view               hat         lost
        backwards   2024-01-01T10:01  view               shoe        open
        """,
    )


def test_an_entry_of_another_value_breaks_a_strict_chain(warehouse: Tables) -> None:
    """Prevents another product in between, or an event without one, from passing for a repeat."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        held_strict,
        """
        subject_id  entered_at        furthest_stage_id  held_value
        mixed       2024-01-01T10:01  cart               shoe
        second      2024-01-01T10:02  paid               shoe
        unsaid      2024-01-01T10:01  view               hat
        lost        2024-01-01T10:00  view               hat
        backwards   2024-01-01T10:01  view               shoe
        """,
    )


def test_any_order_holds_the_value_too(warehouse: Tables) -> None:
    """Prevents stages of two products from being taken together where the order is free."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        held_any,
        """
        subject_id  entered_at        furthest_stage_id  held_value
        mixed       2024-01-01T10:01  cart               shoe
        second      2024-01-01T10:02  paid               shoe
        unsaid      2024-01-01T10:01  cart               hat
        lost        2024-01-01T10:00  view               hat
        backwards   2024-01-01T10:00  cart               shoe
        """,
    )


def test_visits_show_all_values(warehouse: Tables) -> None:
    """Prevents what was done from being hidden by what counts."""
    found = warehouse.query(
        "select subject_id, count(*) from core.fct_stage_visits where funnel_id = ?"
        " group by 1 order by 1",
        [held_best],
    )
    assert found == [
        ("held_property.backwards", 2),
        ("held_property.lost", 2),
        ("held_property.mixed", 3),
        ("held_property.nothing", 2),
        ("held_property.second", 5),
        ("held_property.unsaid", 2),
    ]


def test_a_subject_without_any_value_never_started(warehouse: Tables) -> None:
    """Prevents subjects without the property from being counted as excluded by an event."""
    counted = warehouse.query(
        "select measure, counted from core.control_totals where scope_type = 'funnel'"
        " and scope = ? and measure like 'subjects%' and counted > 0 order by measure",
        [held_best],
    )
    assert counted == [("subjects_never_started", 1), ("subjects_with_journeys", 5)]


held_again = case("held_again")
held_journeys = held_again.funnel(
    "journeys",
    WEB,
    hold_constant="product",
    entry_policy="first",
    count_by="journey",
    window=hours(2),
)
held_again.events(
    "ann",
    """
    2024-01-01T10:00:00 view product=hat
    2024-01-01T10:01:00 view product=shoe
    2024-01-01T10:02:00 cart product=shoe
    2024-01-01T10:03:00 cart product=hat
    2024-01-01T10:04:00 paid product=hat
    2024-01-01T10:05:00 cart product=shoe
    2024-01-01T10:06:00 view
    2024-01-01T10:07:00 view product=shoe
    2024-01-01T10:08:00 paid product=shoe
    2024-01-01T10:09:00 bounced
    2024-01-01T10:10:00 view product=hat
    """,
)


def test_a_journey_goes_on_with_its_value_and_any_value_opens_the_next(
    warehouse: Tables,
) -> None:
    """Prevents journeys that change their product, and products that never get a journey.

    The view without a product opens nothing.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        held_journeys,
        """
        journey_number  entered_at        furthest_stage_id  held_value  outcome
        1               2024-01-01T10:00  paid               hat         won
        2               2024-01-01T10:07  view               shoe        lost
        3               2024-01-01T10:10  view               hat         abandoned
        """,
    )


firsts = case("firsts")
MATCH_RULE = {
    "stage_id": "bought",
    "match_value": "order",
    "property_name": "channel",
    "property_value": "web",
    "occurrence": "1",
}
first_match = firsts.funnel("match", "bought\nagain won", rules=[MATCH_RULE])
first_ever = firsts.funnel(
    "ever", "bought\nagain won", rules=[{**MATCH_RULE, "occurrence_of": "name"}]
)
first_of_year = firsts.funnel(
    "year",
    "bought\nagain won",
    rules=[
        {
            "stage_id": "bought",
            "match_value": "order",
            "occurrence": "1",
            "occurrence_of": "name",
            "valid_from": "2024-01-01",
        }
    ],
)
firsts.events("web", "2024-01-01T10:00:00 order channel=web\n2024-01-02T10:00:00 again")
firsts.events(
    "store_first",
    """
    2024-01-01T10:00:00 order channel=store
    2024-01-02T10:00:00 order channel=web
    2024-01-03T10:00:00 again
    """,
)
firsts.events(
    "old_customer",
    "2023-06-01T10:00:00 order channel=web\n2024-01-05T10:00:00 order channel=web",
)


def test_first_ever_and_first_matching_entries_are_two_things(warehouse: Tables) -> None:
    """Prevents customers who had bought elsewhere before from passing for new ones.

    `store_first` bought in the store before: its first order on the web is the first that meets the
    rule, and not its first ever.
    """
    assert_rows(
        warehouse,
        "core.fct_journeys",
        first_match,
        """
        subject_id    entered_at        furthest_stage_id
        web           2024-01-01T10:00  again
        store_first   2024-01-02T10:00  again
        old_customer  2023-06-01T10:00  bought
        """,
    )
    assert_rows(
        warehouse,
        "core.fct_journeys",
        first_ever,
        """
        subject_id    entered_at        furthest_stage_id
        web           2024-01-01T10:00  again
        old_customer  2023-06-01T10:00  bought
        """,
    )


def test_the_first_ever_may_lie_before_the_rule_holds(warehouse: Tables) -> None:
    """Prevents a start of validity from making old customers new ones."""
    assert_rows(
        warehouse,
        "core.fct_journeys",
        first_of_year,
        """
        subject_id   entered_at        furthest_stage_id
        web          2024-01-01T10:00  again
        store_first  2024-01-01T10:00  again
        """,
    )
