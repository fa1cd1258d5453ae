"""What subjects did next after they dropped off, and whether they came back."""

from __future__ import annotations

from datetime import timedelta

from tests.semantics.cases import assert_rows, case
from tests.support.tables import Tables

EVERYBODY = "cohort_grain = 'all' and segment_name = 'all'"

shop = case("leaks")
shop_funnel = shop.funnel(
    "shop",
    "view\ncart\npaid won\nleft lost",
    window=timedelta(days=1),
)
shop.events(
    "helped_then_back",
    """
    2024-06-01T10:00:00 view
    2024-06-01T11:00:00 cart
    2024-06-01T12:00:00 help
    2024-06-05T10:00:00 view
    """,
)
# The second and the third view make no visit of their own.
shop.events(
    "looked_again",
    "2024-06-01T10:00:00 view\n2024-06-01T10:30:00 view\n2024-06-02T12:00:00 view",
)
shop.events(
    "left_twice",
    "2024-06-01T10:00:00 view\n2024-06-01T11:00:00 left\n2024-06-01T12:00:00 left",
)
shop.events("gone", "2024-06-01T10:00:00 view")
shop.events("buyer", "2024-06-01T10:00:00 view\n2024-06-01T11:00:00 cart\n2024-06-01T12:00:00 paid")

deals = case("lost_deals")
deals_funnel = deals.funnel(
    "deals", "new\nwon won\nlost lost", subject_type="opportunity", order_mode="furthest"
)
passes_funnel = deals.funnel(
    "passes",
    "new\nwon won\nlost lost",
    subject_type="opportunity",
    order_mode="furthest",
    count_by="journey",
)
deals.changes(
    "reopened", "2024-01-01T10:00:00 new\n2024-01-02T10:00:00 lost\n2024-01-03T10:00:00 new"
)
deals.changes(
    "lost_again",
    """
    2024-01-01T10:00:00 new
    2024-01-02T10:00:00 lost
    2024-01-04T10:00:00 new
    2024-01-05T10:00:00 lost
    """,
)
for activity, at in (("before", "2024-01-05T09:00:00"), ("after", "2024-01-05T11:00:00")):
    deals.deliver(
        "activities",
        "cases.csv",
        {
            "activity_id": deals.subject(activity),
            "occurred_at": at,
            "activity_type": f"mail_{activity}",
            "record_id": deals.subject("lost_again"),
        },
    )


def test_what_comes_next_is_anything_known_of_the_subject(warehouse: Tables) -> None:
    """Prevents what no rule knows, or what lies within the window, from being overlooked."""
    assert_rows(
        warehouse,
        "marts.after_drop_off",
        shop_funnel,
        """
        stage_id  next_type  next_name   journeys  dropped  median_seconds
        view      event      leaks/view  1         3        91800
        view      event      leaks/left  1         3        3600
        view      nothing    nothing     1         3        -
        cart      event      leaks/help  1         1        3600
        """,
        where=EVERYBODY,
    )


def test_coming_back_is_a_later_entry_of_the_ladder(warehouse: Tables) -> None:
    """Prevents a repeat that makes no visit from being missed, and leaving again from counting."""
    assert_rows(
        warehouse,
        "marts.drop_off_points",
        shop_funnel,
        """
        stage_id  lost  abandoned  came_back  median_seconds_to_return
        view      1     2          1          7200
        cart      0     1          1          259200
        paid      0     0          0          -
        """,
        where=EVERYBODY,
    )


def test_a_reopened_deal_has_not_dropped_off(warehouse: Tables) -> None:
    """Prevents a loss that was undone from counting as a return, where a deal is one journey."""
    assert_rows(
        warehouse,
        "marts.drop_off_points",
        deals_funnel,
        """
        stage_id  reached  lost  still_open  came_back  median_seconds_to_return
        new       2        1     1           0          -
        won       0        0     0           0          -
        """,
        where=EVERYBODY,
    )
    assert_rows(
        warehouse,
        "marts.after_drop_off",
        deals_funnel,
        """
        stage_id  next_type  next_name   journeys  dropped  median_seconds
        new       activity   mail_after  1         1        3600
        """,
        where=EVERYBODY,
    )


def test_a_deal_that_starts_anew_has_come_back(warehouse: Tables) -> None:
    """Prevents a later journey from being missed: back after one day and after two."""
    assert_rows(
        warehouse,
        "marts.drop_off_points",
        passes_funnel,
        """
        stage_id  reached  lost  still_open  came_back  median_seconds_to_return
        new       4        3     1           2          129600
        won       0        0     0           0          -
        """,
        where=EVERYBODY,
    )
