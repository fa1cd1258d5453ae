"""Web events of an online shop: 35,381 of 3,751 users."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tables import Tables

STAGES = ("catalog", "cart", "payment_done")
USERS = {"catalog": 3611, "cart": 1924, "payment_done": 653}


def test_distinct_users_of_each_event_come_out(real_warehouse: Tables) -> None:
    """Prevents users from being counted by event, or split by session."""
    visited = real_warehouse.query(
        "select stage_id, visited from marts.funnel_conversion"
        " where funnel_id = 'shop_visited' and cohort_grain = 'all' and segment_name = 'all'"
    )
    assert dict(visited) == USERS
    subjects = real_warehouse.query(
        "select stage_id, count(distinct subject_id) from core.fct_stage_visits"
        " where funnel_id = 'shop_visited' group by all"
    )
    assert dict(subjects) == USERS


@pytest.mark.parametrize(
    ("funnel_id", "window"),
    [("shop_ordered", 10**15), ("shop_in_a_day", 24 * 60 * 60 * 10**6)],
)
def test_depths_are_those_of_window_funnel(
    real_warehouse: Tables, extracts: Path, funnel_id: str, window: int
) -> None:
    """Prevents funnels over real events from differing from ClickHouse's, to the microsecond."""
    chdb = pytest.importorskip("chdb", reason="ClickHouse's windowFunnel needs the package chdb")
    conditions = ", ".join(f"event = '{stage}'" for stage in STAGES)
    answer = chdb.query(
        f"select depth, count() from (select user_id, windowFunnel({window}, 'strict_once')("
        f"toUInt64(toUnixTimestamp64Micro(toDateTime64(timestamp, 6, 'UTC'))), {conditions})"
        f" as depth from file('{extracts}/simple_onlineshop/events.csv.gz', 'CSVWithNames',"
        " 'user_id String, event String, timestamp String') group by user_id)"
        " where depth > 0 group by depth order by depth",
        "CSV",
    )
    expected = [
        tuple(int(cell) for cell in line.split(",")) for line in str(answer).strip().splitlines()
    ]
    assert len(expected) == 3
    found = real_warehouse.query(
        "select furthest_stage_position, count(*) from core.fct_journeys"
        " where funnel_id = ? group by all order by all",
        [funnel_id],
    )
    assert found == expected
