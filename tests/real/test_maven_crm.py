"""A sales pipeline of 8,800 opportunities: a final stage and two dates each, no history.

The figures are those that are stated with the extract, or counted in it by hand.
"""

from __future__ import annotations

from tests.support.tables import Tables

ALL = "funnel_id = 'deals' and cohort_grain = 'all' and segment_name = 'all'"


def test_every_opportunity_has_one_journey_with_its_outcome(real_warehouse: Tables) -> None:
    """Prevents deals from being lost, doubled, or closed while they are open."""
    outcomes = real_warehouse.query(
        "select outcome, count(*) from core.fct_journeys where funnel_id = 'deals'"
        " group by outcome order by outcome"
    )
    # 1,589 are engaging and 500 prospecting.
    assert outcomes == [("lost", 2473), ("open", 1589 + 500), ("won", 4238)]


def test_the_published_win_rate_and_won_value_come_out(real_warehouse: Tables) -> None:
    """Prevents open deals from counting as lost, and amounts from losing a cent."""
    [(won, lost, still_open)] = real_warehouse.query(
        f"select sum(won), sum(lost), sum(still_open) from marts.drop_off_points where {ALL}"
    )
    assert (won, lost, still_open) == (4238, 2473, 2089)
    assert round(100 * 4238 / (4238 + 2473), 2) == 63.15
    [(share,)] = real_warehouse.query(
        f"select distinct round(100 * won_share, 2) from marts.cycle_times where {ALL}"
        " and from_stage_id = 'prospecting' and to_stage_id = 'any_exit'"
    )
    assert share == 63.15
    [(value,)] = real_warehouse.query(
        "select sum(amount) from core.fct_journeys where funnel_id = 'deals' and outcome = 'won'"
    )
    assert value == 10_005_534


def test_deals_without_dates_count_as_undated(real_warehouse: Tables) -> None:
    """Prevents deals without dates from being dropped, or from getting a cohort of their own."""
    undated = real_warehouse.query(
        "select furthest_stage_id, outcome, count(*) from core.fct_journeys"
        " where funnel_id = 'deals' and entered_at is null group by all"
    )
    assert undated == [("prospecting", "open", 500)]
    reached = real_warehouse.query(
        "select cohort_grain, sum(reached) from marts.funnel_conversion"
        " where funnel_id = 'deals' and segment_name = 'all' and stage_position = 1"
        " and cohort_grain in ('all', 'year') group by all order by all"
    )
    assert reached == [("all", 8800), ("year", 8300)]


def test_the_funnel_falls_from_all_deals_to_the_won_ones(real_warehouse: Tables) -> None:
    """Prevents a deal that skipped a stage, as far as is known, from missing in it."""
    rows = real_warehouse.query(
        f"select stage_id, reached from marts.funnel_conversion where {ALL} order by stage_position"
    )
    # Of a lost deal nothing shows that it ever engaged.
    assert rows == [("prospecting", 8800), ("engaging", 1589 + 4238), ("won", 4238)]


def test_open_deals_are_where_the_extract_says(real_warehouse: Tables) -> None:
    """Prevents the current stage from being lost where nothing says when it was entered."""
    current = real_warehouse.query(
        "select stage_id, count(*) from core.fct_stage_visits where funnel_id = 'deals'"
        " and next_stage_id = 'still_there' group by all order by all"
    )
    assert current == [("engaging", 1589), ("prospecting", 500)]


def test_products_are_kept_as_they_are_spelled(real_warehouse: Tables) -> None:
    """Prevents one product from swallowing another that merely looks like it."""
    [(deals,)] = real_warehouse.query(
        "select sum(reached) from marts.funnel_conversion where funnel_id = 'deals'"
        " and cohort_grain = 'all' and segment_name = 'product' and segment_value = 'GTXPro'"
        " and stage_position = 1"
    )
    assert deals == 1480
