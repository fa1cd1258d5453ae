"""The data tests of the funnel marts, each seen failing on a defect planted in the tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.marts.facts import ELSEWHERE

pytestmark = pytest.mark.slow

# One statement for each test; none breaks what another test looks at.
DEFECTS = {
    "funnel_conversion_never_widens": """
        update marts.funnel_conversion set reached = entered + 1
        where funnel_id = 'deals' and cohort_grain = 'year' and stage_id = 'talks'
    """,
    "funnel_conversion_adds_up_over_segments": """
        update marts.funnel_conversion set entered = entered + 1
        where funnel_id = 'deals' and cohort_grain = 'day' and segment_name = 'region'
    """,
    "funnel_conversion_rates_lie_in_their_intervals": """
        update marts.funnel_conversion set overall_rate_low = overall_rate + 0.01
        where funnel_id = 'deals' and cohort_grain = 'quarter' and stage_id = 'talks'
    """,
    "funnel_conversion_intervals_stand_beside_their_rates": """
        update marts.funnel_conversion set mature_step_rate_low = 0
        where funnel_id = 'deals' and mature_step_rate is null
    """,
    "funnel_conversion_parts_do_not_exceed_the_whole": """
        update marts.funnel_conversion set imputed = reached + 1
        where funnel_id = 'deals' and cohort_grain = 'month' and stage_id = 'talks'
    """,
    "accepted_values_funnel_conversion_cohort_grain": """
        update marts.funnel_conversion set cohort_grain = 'fortnight' where cohort_grain = 'week'
    """,
    "unique_combination_funnel_conversion_funnel_id": """
        insert into marts.funnel_conversion
        select * from marts.funnel_conversion where cohort_grain = 'all' and stage_id = 'talks'
    """,
    "unique_combination_funnel_conversion_known_on": """
        insert into marts.funnel_conversion_known_on
        select date '2025-03-01' as known_on, funnel_conversion.*
        from marts.funnel_conversion cross join range(2) as copies (copy)
    """,
    "never_null_funnel_conversion_known_on": """
        insert into marts.funnel_conversion_known_on
        select null as known_on, *
        from marts.funnel_conversion where cohort_grain = 'year'
    """,
    "accepted_values_funnel_conversion_known_on": """
        update marts.funnel_conversion_known_on set cohort_grain = 'weekend'
        where cohort_grain = 'day'
    """,
    "conversion_matrix_rows_sum_to_their_visits": """
        delete from marts.conversion_matrix
        where funnel_id = 'deals' and cohort_grain = 'year' and to_stage_id = 'talks'
    """,
    "conversion_matrix_subjects_made_their_transitions": """
        update marts.conversion_matrix set subjects = transitions + 1
        where funnel_id = 'deals' and cohort_grain = 'month'
    """,
    "conversion_matrix_medians_lie_in_their_intervals": """
        update marts.conversion_matrix set median_seconds_high = median_seconds - 1
        where median_seconds > 1 and median_seconds_high is not null
    """,
    # A row twice of which neither counts: the sum stays, the key does not.
    "unique_combination_conversion_matrix": """
        insert into marts.conversion_matrix
        select * replace (0 as transitions, 0 as subjects)
        from marts.conversion_matrix where funnel_id = 'shop' and cohort_grain = 'all'
    """,
    "conversion_differences_lie_in_their_intervals": """
        update marts.conversion_differences set difference_low = difference + 0.01
        where funnel_id = 'deals' and cohort_grain = 'all'
    """,
    "conversion_differences_are_corrected_where_compared": """
        update marts.conversion_differences set p_value_corrected = null
        where funnel_id = 'deals' and cohort_grain = 'year' and is_compared
    """,
    "accepted_values_conversion_differences_cohort_grain": """
        update marts.conversion_differences set cohort_grain = 'day' where cohort_grain = 'week'
    """,
    "accepted_values_conversion_differences_rate_name": """
        update marts.conversion_differences set rate_name = 'rate' where funnel_id = 'tour'
    """,
    "accepted_values_conversion_differences_compared_with": """
        update marts.conversion_differences set compared_with = 'another' where funnel_id = 'shop'
    """,
    "unique_combination_conversion_differences": """
        insert into marts.conversion_differences
        select * from marts.conversion_differences where funnel_id = 'shop'
    """,
    "drop_off_points_balance": """
        update marts.drop_off_points set advanced = advanced + 1
        where funnel_id = 'deals' and cohort_grain = 'year'
    """,
    "drop_off_points_lose_what_was_lost": """
        update marts.drop_off_points set amount_lost = null where amount_unknown = 0
    """,
    "unique_combination_drop_off_points": """
        insert into marts.drop_off_points
        select * from marts.drop_off_points where cohort_grain = 'all'
    """,
    "drop_off_points_mature_journeys_are_among_all": """
        update marts.drop_off_points set mature_won_beyond = mature_advanced + 1
        where funnel_id = 'deals' and cohort_grain = 'month' and stage_id = 'talks'
    """,
    "drop_off_points_who_came_back_had_dropped_off": """
        update marts.drop_off_points set came_back = lost + abandoned + 1
        where funnel_id = 'shop' and cohort_grain = 'year' and came_back > 0
    """,
    "drop_off_points_gains_lie_in_their_intervals": """
        update marts.drop_off_points set best_quarter_wins = best_quarter_wins_high + 1
        where cohort_grain = 'month' and best_quarter_wins_high is not null
    """,
    "after_drop_off_names_sum_to_the_dropped": """
        delete from marts.after_drop_off where cohort_grain = 'year' and next_type = 'purchase'
    """,
    "after_drop_off_times_are_there_for_what_came_next": """
        update marts.after_drop_off set median_seconds = null
        where cohort_grain = 'month' and next_type = 'event'
    """,
    "accepted_values_after_drop_off_cohort_grain": """
        update marts.after_drop_off set cohort_grain = 'fortnight' where cohort_grain = 'quarter'
    """,
    # A row twice of which neither counts: the sum stays, the key does not.
    "unique_combination_after_drop_off": """
        insert into marts.after_drop_off
        select * replace (0 as journeys) from marts.after_drop_off where cohort_grain = 'all'
    """,
    "accepted_values_int_leak_gains_scenario": """
        update intermediate.int_leak_gains set scenario = 'two_points'
        where scenario = 'one_point' and gain_rank = 2
    """,
    "cycle_times_are_there_for_the_completed": """
        update marts.cycle_times set p25 = p10 - 1
        where funnel_id = 'deals' and cohort_grain = 'year' and completed > 0
    """,
    "cycle_times_lie_in_their_intervals": """
        update marts.cycle_times set mature_p50_low = mature_p50 + 1
        where funnel_id = 'deals' and cohort_grain = 'quarter' and mature_completed >= 6
    """,
    "cycle_times_count_nobody_twice": """
        update marts.cycle_times set competing = -1
        where funnel_id = 'deals' and cohort_grain = 'month' and to_stage_id = 'talks'
    """,
    "cycle_times_say_how_long_visits_stay": """
        update marts.cycle_times set stalled = still_there + 1
        where funnel_id = 'shop' and cohort_grain = 'month' and to_stage_id = 'any_exit'
    """,
    "unique_combination_cycle_times": """
        insert into marts.cycle_times select * from marts.cycle_times where cohort_grain = 'all'
    """,
    "unique_combination_conversion_by_horizon": """
        insert into marts.conversion_by_horizon
        select * from marts.conversion_by_horizon where funnel_id = 'deals' and event = 'left'
    """,
    "conversion_by_horizon_counts_are_parts": """
        update marts.conversion_by_horizon set followed_happened = followed + 1
        where funnel_id = 'deals' and event = 'won'
    """,
    "conversion_by_horizon_bands_stand_beside_their_rates": """
        update marts.conversion_by_horizon set corrected_rate_low = null
        where funnel_id = 'deals' and corrected_rate = 0
    """,
    "survival_curves_have_one_point_an_instant": """
        insert into marts.survival_curves
        select * replace (point_number + 100000 as point_number)
        from marts.survival_curves where funnel_id = 'shop' and event = 'left'
    """,
    "unique_combination_survival_curves": """
        insert into marts.survival_curves
        select * from marts.survival_curves where funnel_id = 'deals' and event = 'left'
    """,
    "survival_curves_share_out_everybody": """
        update marts.survival_curves set competing_share = competing_share + 0.01
        where funnel_id = 'deals' and event = 'won'
    """,
    "unique_int_curves": """
        update intermediate.int_curves set curve_id = 1 where curve_id = 2
    """,
    "unique_combination_int_curves": """
        update intermediate.int_curves set event = 'won' where event = 'lost'
    """,
    "unique_combination_int_curve_points": """
        update intermediate.int_curve_points set microseconds = 1 where curve_id = 1
    """,
    "unique_combination_open_visits": """
        insert into marts.open_visits select * from marts.open_visits where funnel_id = 'shop'
    """,
    "open_visits_stand_in_their_history": """
        update marts.open_visits set left_by_age = completed_visits + 1 where funnel_id = 'deals'
    """,
    "open_visits_are_stalled_for_a_reason": """
        update marts.open_visits set stalled_by = null where funnel_id = 'tour'
    """,
    "accepted_values_open_visits_stalled_by": """
        update marts.open_visits set stalled_by = 'fate'
        where funnel_id = 'deals' and stalled_by is not null
    """,
    "as_many_rows_as_int_cell_visits": """
        delete from intermediate.int_cell_visits where funnel_id = 'shop' and visit_number = 1
    """,
    "never_null_int_cell_visits": """
        update intermediate.int_cell_visits set cell_id = null where funnel_id = 'deals'
    """,
    "as_many_rows_as_int_journey_cells": """
        insert into intermediate.int_journey_cells
        select * from intermediate.int_journey_cells limit 1
    """,
    "never_null_int_journey_cells": """
        update intermediate.int_journey_cells set cell_id = null where funnel_id = 'deals'
    """,
    "never_null_int_cell_segments": """
        update intermediate.int_cell_segments set cell_id = null where funnel_id = 'deals'
    """,
    "unique_int_cohort_segments": """
        update intermediate.int_cohort_segments set cohort_segment_id = 1
        where cohort_segment_id = 2
    """,
    "never_null_int_cohort_segments": """
        update intermediate.int_cohort_segments set segment_adds_up = null
        where cohort_segment_id = 3
    """,
}

# Two rows that are the same and say nothing fail whatever is asked of a table: here by one of its
# tests, and the others are seen to fail with it.
SAME_ROWS = {
    "unique_combination_before_and_after": "marts.before_and_after (rate_name)",
    "unique_combination_experiment_results": "marts.experiment_results (verdict)",
    "unique_combination_funnel_trends": "marts.funnel_trends (metric, period_grain)",
    "unique_combination_metric_tests": "marts.metric_tests (compared_with)",
    "unique_metric_alerts_alert_id": "marts.metric_alerts (alert_id)",
    "unique_combination_rate_change": "marts.rate_change_explained (cohort_grain, rate_name)",
    "unique_combination_weekly_review": "marts.weekly_review (funnel_id)",
    "unique_combination_monthly_review": "marts.monthly_review (funnel_id)",
    "unique_combination_quarterly_review": "marts.quarterly_review (funnel_id)",
    "unique_combination_journey_paths": "marts.journey_paths (path)",
    "unique_combination_next_steps": "marts.next_steps (next_type)",
    "unique_combination_path_deviations": "marts.path_deviations (deviation)",
    "unique_combination_int_experiment": "intermediate.int_experiment_subjects (funnel_id)",
    "unique_combination_int_journey_paths": "intermediate.int_journey_paths (funnel_id)",
    "unique_combination_int_journey_steps": "intermediate.int_journey_steps (funnel_id)",
    "unique_combination_int_leading": "intermediate.int_leading_explanations (funnel_id)",
    "unique_combination_int_reviews": "intermediate.int_reviews (funnel_id)",
    "unique_combination_int_trend_periods": "intermediate.int_trend_periods (period_grain)",
    "unique_int_trend_spans_funnel_id": "intermediate.int_trend_spans (funnel_id)",
}
DEFECTS |= {
    name: f"insert into {table} values {row}, {row}"
    for name, table in SAME_ROWS.items()
    for row in ["('x', 'x')" if "," in table else "('x')"]
}
DEFECTS |= {
    "not_null_metric_alerts_alert_id": "insert into marts.metric_alerts (funnel_id) values ('x')",
    "unique_int_trend_series_series_id": """
        insert into intermediate.int_trend_series select * from intermediate.int_trend_series
    """,
    "not_null_int_trend_series_series_id": """
        insert into intermediate.int_trend_series (funnel_id) values ('x')
    """,
    "unique_combination_int_trend_days": """
        insert into intermediate.int_trend_days select * from intermediate.int_trend_days
    """,
    "not_null_int_trend_spans_funnel_id": """
        insert into intermediate.int_trend_spans (first_date) values (date '2024-01-01')
    """,
    "journey_paths_are_of_all_journeys": """
        update marts.journey_paths set journeys = journeys + 1 where path_rank = 1
    """,
    "next_steps_are_of_all_visits": """
        update marts.next_steps set visits = visits + 1 where next_type = 'nothing'
    """,
}


@pytest.fixture(scope="module")
def statuses(marts_database: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Status of each data test, by name, over marts with all the defects."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("defects"))})
    declarations.write_empty(settings.declarations)
    shutil.copyfile(marts_database, settings.build)
    with duckdb.connect(str(settings.build)) as connection:
        for defect in DEFECTS.values():
            [changed] = connection.execute(defect).fetchone() or (0,)
            assert changed > 0, defect
    outcome = dbt.run(
        settings,
        [
            "test",
            *("--select", *dbt.LAYERS[-1].select),
            *("--exclude", "test_type:unit", *ELSEWHERE),
            *("--indirect-selection", "cautious"),
            *dbt.common_arguments(settings),
        ],
    )
    return {one.unique_id.split(".")[2]: one.status for one in outcome.results}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(statuses: dict[str, str], name: str) -> None:
    """Prevents a test that passes whatever the table holds."""
    [status] = {status for test, status in statuses.items() if test.startswith(name)}
    assert status == "fail"


def test_every_data_test_was_seen_failing(statuses: dict[str, str]) -> None:
    """Prevents a new test from being trusted before it was seen failing."""
    assert {name for name, status in statuses.items() if status != "fail"} == set()
