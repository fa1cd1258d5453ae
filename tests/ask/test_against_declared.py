"""The stages of a declared funnel, asked as any list, give the declared funnel's figures."""

from __future__ import annotations

import duckdb
import pytest

FIGURES = (
    "reached, reached_previous, step_rate, step_rate_low, step_rate_high, entered, overall_rate, "
    "overall_rate_low, overall_rate_high"
)
PERIOD = "month"
FUNNELS = (
    "customer_lifecycle",
    "growth_aarrr",
    "lead_qualification",
    "sales_pipeline",
    "signup_activation",
    "web_purchase",
)


@pytest.mark.parametrize("funnel", FUNNELS)
def test_the_stages_of_a_declared_funnel_give_its_figures(
    reader: duckdb.DuckDBPyConnection, funnel: str
) -> None:
    """An analyst who adds a stage to the list could not say what the stage did."""
    ((mode, policy, seconds),) = reader.execute(
        "select order_mode, entry_policy, window_seconds from dim_funnels where funnel_id = ?",
        [funnel],
    ).fetchall()
    ladder = reader.execute(
        "select stage_id, is_optional from dim_funnel_stages "
        "where funnel_id = ? and stage_position is not null order by stage_position",
        [funnel],
    ).fetchall()
    segments = reader.execute(
        "select segment_name from dim_segments where funnel_id = ?", [funnel]
    ).fetchall()
    for breakdown in ("all", PERIOD, *(name for (name,) in segments)):
        found = reader.execute(
            f"select segment_value, stage_id, {FIGURES} from funnel_of_stages(?, ?, mode := ?, "
            "entry_policy := ?, window_hours := ?, optional := ?, breakdown := ?) "
            "where segment_value != '(undated)' order by all",
            [
                funnel,
                [stage for stage, _ in ladder],
                mode,
                policy,
                seconds and seconds / 3600,
                [
                    stage
                    for stage, is_optional in ladder
                    if is_optional and mode in ("ordered", "strict")
                ],
                breakdown,
            ],
        ).fetchall()
        # A cohort without journeys has a row in the mart only.
        expected = reader.execute(
            f"select case ? when '{PERIOD}' then cast(cohort_date as varchar) else segment_value "
            f"end as value, stage_id, {FIGURES} from funnel_conversion where funnel_id = ? "
            f"and cohort_grain = case ? when '{PERIOD}' then '{PERIOD}' else 'all' end "
            f"and segment_name = case ? when '{PERIOD}' then 'all' else ? end "
            "and entered > 0 order by all",
            [breakdown, funnel, breakdown, breakdown, breakdown],
        ).fetchall()
        assert expected
        assert found == expected, breakdown


def test_what_lies_between_two_stages_is_that_of_the_cycle_times(
    reader: duckdb.DuckDBPyConnection,
) -> None:
    """The times from stage to stage would be others than the mart's."""
    rows = reader.execute(
        "select segment_name, segment_value, completed + competing + censored, completed, "
        "censored, p10, p25, p50, p75, p90 from cycle_times where funnel_id = 'sales_pipeline' "
        "and from_stage_id = 'target' and to_stage_id = 'won' and cohort_grain = 'all' "
        "and segment_name in ('all', 'region') order by all"
    ).fetchall()
    assert len(rows) == 4
    for name, value, *expected in rows:
        found = reader.execute(
            "select journeys, passed, still_open, p10_seconds, p25_seconds, p50_seconds, "
            "p75_seconds, p90_seconds "
            "from transitions_between('sales_pipeline', 'target', 'won', breakdown := ?) "
            "where segment_value = ?",
            [name, value],
        ).fetchall()
        assert list(found[0]) == pytest.approx(expected)


def test_direct_moves_are_those_of_the_matrix(reader: duckdb.DuckDBPyConnection) -> None:
    """Moves that led straight to a stage would be counted that did not."""
    ((moves,),) = reader.execute(
        "select transitions from conversion_matrix where funnel_id = 'sales_pipeline' "
        "and from_stage_id = 'target' and to_stage_id = 'prospect' and cohort_grain = 'all' "
        "and segment_name = 'all'"
    ).fetchall()
    found = reader.execute(
        "select direct_moves from transitions_between('sales_pipeline', 'target', 'prospect')"
    ).fetchall()
    assert found == [(moves,)]
