"""A sales pipeline of 8,800 opportunities: a final stage and two dates each, no history.

The figures are those that are stated with the extract, or counted in it by hand.
"""

from __future__ import annotations

import csv
from pathlib import Path

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


def test_the_waterfall_of_an_agent_in_a_month_is_what_the_file_says(
    real_warehouse: Tables, extracts: Path
) -> None:
    """Prevents movements that balance among themselves and not with what was delivered."""
    path = extracts / "maven_crm" / "sales_pipeline.csv"
    with path.open(encoding="utf-8") as file:
        deals = [row for row in csv.DictReader(file) if row["sales_agent"] == "Vicki Laflamme"]
    created = sum(row["engage_date"].startswith("2017-07") for row in deals)
    closed = [row for row in deals if row["close_date"].startswith("2017-07")]
    won = [row for row in closed if row["deal_stage"] == "Won"]
    # A deal that is closed on the day on which it engages was never in the pipeline.
    at_once = [row for row in closed if row["engage_date"] == row["close_date"]]
    assert created > 20 and len(won) > 10 and not at_once
    found = real_warehouse.query(
        """
        select movement, sum(deals_change), sum(amount_change)
        from marts.pipeline_movements
        where funnel_id = 'deals' and segment_name = 'owner'
            and segment_value = 'maven:Vicki Laflamme'
            and movement_date between '2017-07-01' and '2017-07-31'
            and movement in ('created', 'won', 'lost')
        group by movement order by movement
        """
    )
    assert [(movement, deals) for movement, deals, _ in found] == [
        ("created", created),
        ("lost", -(len(closed) - len(won))),
        ("won", -len(won)),
    ]
    assert found[2][2] == -sum(int(row["close_value"]) for row in won)


def test_the_pipeline_ends_with_the_engaging_deals(real_warehouse: Tables) -> None:
    """Prevents undated deals from standing on days on which nobody knows that they were there."""
    ends = real_warehouse.query(
        "select stage_id, open_deals, deals_without_amount from marts.pipeline_daily"
        " where funnel_id = 'deals' and segment_name = 'all'"
        " qualify snapshot_date = max(snapshot_date) over () order by stage_position"
    )
    assert ends == [("prospecting", 0, 0), ("engaging", 1589, 1589)]
    gaps = real_warehouse.query(
        "select gap, count(*) from marts.deal_gaps where funnel_id = 'deals'"
        " and gap in ('undated', 'undated_stage', 'no_amount') group by gap order by gap"
    )
    assert gaps == [("no_amount", 2089), ("undated", 500), ("undated_stage", 1589)]


def test_forecasts_of_wins_come_near_what_came(real_warehouse: Tables) -> None:
    """Prevents a method that looks reasonable on paper and is of no use on a real pipeline."""
    shares = dict(
        real_warehouse.query(
            "select method, wins_error_share from marts.forecast_methods"
            " where funnel_id = 'deals' and period_grain = 'month' and periods_ahead = 0"
            " and forecasts > 0"
        )
    )
    assert shares["stage_and_age"] < 0.1
    assert shares["stage_and_age"] < shares["moving_average"]
