"""What the warehouse estimates of a simulated company, against the chances it was made with."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.tables import Tables

pytestmark = pytest.mark.slow

# Then begins what is planted in the rates; tests of it are in `test_planted.py`.
UNDISTURBED = "cohort_date < date '2025-08-01'"


def _covered(
    tables: Tables, funnel_id: str, rate: str, truth: list[float], where: str
) -> list[bool]:
    """Whether each interval of the rate holds the truth, given by stage position from 1."""
    rows = tables.query(
        f"""
        select stage_position, {rate}_low, {rate}_high from marts.funnel_conversion
        where funnel_id = ? and {where} and stage_position between 2 and ?
        and {rate}_low is not null and {rate}_high is not null
        """,
        [funnel_id, len(truth)],
    )
    return [low <= truth[position - 1] <= high for position, low, high in rows]


def test_true_rates_lie_in_their_intervals_as_often_as_stated(
    company: tuple[Tables, dict[str, Any]],
) -> None:
    """Prevents rates that are off the truth by more than chance, and intervals of another level.

    Visitors by month, also by channel, leads and deals by month with the open ones corrected for.
    """
    tables, truth = company
    months = "cohort_grain = 'month' and segment_name = 'all'"
    of_channels = f"cohort_grain = 'month' and segment_name = 'channel' and {UNDISTURBED}"
    visitors = truth["web_purchase"]
    covered = {
        "web_purchase by month": _covered(
            *(tables, "web_purchase", "mature_step_rate"),
            [1.0, *visitors["step_rates"].values()],
            f"{months} and {UNDISTURBED}",
        ),
        **{
            f"web_purchase from {channel}": _covered(
                *(tables, "web_purchase", "mature_overall_rate", list(reach.values())),
                f"{of_channels} and segment_value = '{channel}'",
            )
            for channel, reach in visitors["reach_by_channel"].items()
        },
        **{
            funnel_id: _covered(
                *(tables, funnel_id, "corrected_overall_rate"),
                list(truth[funnel_id]["reach"].values()),
                months,
            )
            for funnel_id in ("lead_qualification", "sales_pipeline")
        },
    }
    every = [one for of in covered.values() for one in of]
    assert len(every) > 100
    share = sum(every) / len(every)
    assert abs(share - 0.95) < 4 * math.sqrt(0.95 * 0.05 / len(every)), (share, covered)


def test_open_deals_make_the_raw_rate_too_low_and_the_corrected_one_right(
    company: tuple[Tables, dict[str, Any]],
) -> None:
    """Prevents a correction that corrects nothing: young cohorts count open deals as not won."""
    tables, truth = company
    reach = list(truth["sales_pipeline"]["reach"].values())
    young = "cohort_grain = 'month' and segment_name = 'all' and cohort_date >= date '2025-07-01'"
    raw = _covered(tables, "sales_pipeline", "overall_rate", reach, young)
    corrected = _covered(tables, "sales_pipeline", "corrected_overall_rate", reach, young)
    assert sum(raw) / len(raw) < 0.7
    assert sum(corrected) / len(corrected) > 0.85
