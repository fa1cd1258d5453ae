"""Rule 6: visited is what the data shows, reached is how far the journey got."""

from __future__ import annotations

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

ALL = "cohort_grain = 'all' and segment_name = 'all'"

ladder = case("reached")
deals_funnel = ladder.funnel(
    "deals",
    "new\nqualify\nproposal\nwon won\nlost lost",
    subject_type="opportunity",
    order_mode="furthest",
)
ladder.changes("skips", "2024-01-01T10:00:00 new\n2024-01-02T10:00:00 proposal")
ladder.changes("wins", "2024-01-01T10:00:00 qualify\n2024-01-02T10:00:00 won")
ladder.changes("gone", "2024-01-02T10:00:00 lost")
ladder.changes(
    "undone",
    "2024-01-01T10:00:00 new\n2024-01-02T10:00:00 won\n2024-01-03T10:00:00 qualify",
)


def test_visited_and_reached_stand_side_by_side(warehouse: Tables) -> None:
    """Prevents skipped stages from making the funnel rise, and undone wins from counting as won.

    Visited new: skips, undone. Reached new: all four. Won was visited by two, of whom one undid it.
    """
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        deals_funnel,
        """
        stage_id  stage_position  visited  reached  reached_previous  entered
        new       1               2        4        -                 4
        qualify   2               2        3        4                 4
        proposal  3               1        2        3                 4
        won       4               2        1        2                 4
        """,
        where=ALL,
    )


disordered = case("disordered")
web_funnel = disordered.funnel("web", "visit\ncart\npaid won")
disordered.events("ann", "2024-01-01T10:00:00 visit\n2024-01-01T11:00:00 paid")
disordered.events("bob", "2024-01-01T10:00:00 cart")


def test_what_a_web_funnel_saw_but_does_not_count_is_still_visited(warehouse: Tables) -> None:
    """Prevents the matrix and the funnel from being taken for the same thing."""
    assert_rows(
        warehouse,
        "marts.funnel_conversion",
        web_funnel,
        """
        stage_id  visited  reached  reached_previous  entered
        visit     1        1        -                 1
        cart      1        0        1                 1
        paid      1        0        0                 1
        """,
        where=ALL,
    )
