"""Rule 2: order, and equal instants under both tie policies."""

from __future__ import annotations

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


def test_subjects_whose_result_may_hang_on_a_tie_are_counted(warehouse: Tables) -> None:
    """Prevents the tie policy from mattering unseen: down, up and files have ties."""
    counted = warehouse.query(
        "select scope, counted from core.control_totals where measure = 'subjects_with_ties'"
        " and scope in (?, ?) order by scope",
        [by_source, by_funnel],
    )
    assert counted == [(by_funnel, 3), (by_source, 3)]
