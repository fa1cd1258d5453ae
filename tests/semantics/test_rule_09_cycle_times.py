"""Rule 9: cycle times of completed steps, and how many are censored or came to something else."""

from __future__ import annotations

import pytest

from tests.semantics.cases import case
from tests.support.tables import Tables

times = case("times")
times_funnel = times.funnel("web", "visit\ncart\npaid won\nbounced lost")
for seconds in (10, 20, 30, 40, 50):
    times.events(f"after_{seconds}", f"2024-01-01T10:00:00 visit\n2024-01-01T10:00:{seconds} cart")
times.events("lost", "2024-01-01T10:00:00 visit\n2024-01-01T10:00:25 bounced")
times.events("open_1", "2024-01-01T10:00:00 visit")
times.events("open_2", "2024-06-01T10:00:00 visit")


def _cycle_time(warehouse: Tables, from_stage: str, to_stage: str) -> tuple[object, ...]:
    [row] = warehouse.query(
        "select completed, competing, censored, p10, p25, p50, p75, p90, mean"
        " from marts.cycle_times where funnel_id = ? and cohort_grain = 'all'"
        " and segment_name = 'all' and from_stage_id = ? and to_stage_id = ?",
        [times_funnel, from_stage, to_stage],
    )
    return row


def test_from_one_stage_to_another_is_the_time_between_the_first_entries(
    warehouse: Tables,
) -> None:
    """Prevents open and lost journeys from being ignored, or taken as completed."""
    assert _cycle_time(warehouse, "visit", "cart") == (5, 1, 2, 14, 20, 30, 40, 46, 30)


def test_any_exit_is_the_time_to_leave(warehouse: Tables) -> None:
    """Prevents those who are still there from being left out of sight.

    They left after 10, 20, 25, 30, 40 and 50 seconds; the quantiles lie between, interpolated.
    """
    found = _cycle_time(warehouse, "visit", "any_exit")
    assert found[:3] == (6, 0, 2)
    assert found[3:8] == pytest.approx((15, 21.25, 27.5, 37.5, 45))
    assert found[8] == pytest.approx(175 / 6)
