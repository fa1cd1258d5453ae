"""The data tests of the marts about owners, each seen failing on a defect planted in the tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration import dbt, declarations
from orchestration.settings import Settings
from tests.marts.owner_deals import MODELS

pytestmark = pytest.mark.slow

# One statement for each data test; none breaks what another test looks at.
DEFECTS = {
    "int_owner_deals_counts_every_deal_once_a_level": """
        delete from intermediate.int_owner_deals where level = 'seller' and deal_id = 'd001'
    """,
    "unique_combination_int_owner_deals": """
        update intermediate.int_owner_deals set deal_id = 'd002'
        where level = 'all' and funnel_id = 'sales'
    """,
    "unique_combination_int_owner_periods": """
        update intermediate.int_owner_periods set period_date = date '2025-01-01'
        where level = 'team' and period_grain = 'month'
    """,
    "unique_combination_int_owner_health_rules": """
        update intermediate.int_owner_health_rules set rule_name = 'only_large'
    """,
    "unique_combination_int_owner_health_deals": """
        update intermediate.int_owner_health_deals set deal_id = 'd001'
    """,
    "unique_combination_int_deal_next_steps": """
        update intermediate.int_deal_next_steps set deal_id = 'd001'
    """,
    "unique_combination_int_deal_buying_roles": """
        insert into intermediate.int_deal_buying_roles
        select 'sales', 'd001', 5, 'all' from range(2)
    """,
    "unique_combination_owner_performance": """
        insert into marts.owner_performance
        select * from marts.owner_performance where period_grain = 'all' and level = 'all'
    """,
    "never_null_owner_performance": """
        update marts.owner_performance set entered = null
        where period_grain = 'year' and level = 'branch'
    """,
    "accepted_values_owner_performance_period_grain": """
        update marts.owner_performance set period_grain = 'week'
        where period_grain = 'month' and level = 'all'
    """,
    "accepted_values_owner_performance_level": """
        update marts.owner_performance set level = 'floor'
        where period_grain = 'quarter' and level = 'branch'
    """,
    "owner_performance_levels_add_up": """
        update marts.owner_performance set lost = lost + 1, closed = closed + 1
        where period_grain = 'year' and level = 'team' and name = 'north'
    """,
    "owner_performance_rates_lie_in_their_intervals": """
        update marts.owner_performance set win_rate_low = win_rate + 0.01
        where period_grain = 'quarter' and level = 'seller' and closed > 0
    """,
    "owner_performance_ranks_only_enough_cases": """
        update marts.owner_performance set win_rate_rank = 1
        where period_grain = 'month' and not win_rate_is_reportable
    """,
    "owner_performance_unknown_amounts_are_among_the_deals": """
        update marts.owner_performance set amount_won = null
        where period_grain = 'month' and level = 'seller'
    """,
    "unique_combination_owner_concentration": """
        insert into marts.owner_concentration
        select * from marts.owner_concentration where period_grain = 'all'
    """,
    "never_null_owner_concentration": """
        update marts.owner_concentration set is_mean_misleading = null where period_grain = 'year'
    """,
    "accepted_values_owner_concentration_period_grain": """
        update marts.owner_concentration set period_grain = 'week'
        where period_date = date '2025-05-01'
    """,
    "accepted_values_owner_concentration_measure": """
        update marts.owner_concentration set measure = 'hours' where period_date = date '2025-06-01'
    """,
    "owner_concentration_figures_agree": """
        update marts.owner_concentration set gini = 1.1 where period_grain = 'quarter'
    """,
    "unique_combination_owner_health_funnel_id": """
        insert into marts.owner_health
        select * from marts.owner_health where rule_name = 'bumper_then_none'
    """,
    "never_null_owner_health.": """
        update marts.owner_health set finding = null where rule_name = 'only_large'
    """,
    "accepted_values_owner_health_rule_name": """
        update marts.owner_health set rule_name = 'always_late'
        where rule_name = 'fewer_active_deals' and deals = 0
    """,
    "owner_health_finds_what_is_out_of_bounds": """
        update marts.owner_health set expected_at_least = found
        where rule_name = 'meetings_without_pipeline'
    """,
    "owner_health_counts_the_deals_behind": """
        update marts.owner_health set found = found + 1 where rule_name = 'too_many_active'
    """,
    "owner_health_names_the_deals_behind": """
        delete from marts.owner_health_deals where rule_name = 'no_next_step'
    """,
    "unique_combination_owner_health_deals": """
        update marts.owner_health_deals set deal_id = 'd001' where rule_name = 'signings_outside'
    """,
    "never_null_owner_health_deals": """
        update marts.owner_health_deals set journey_number = null where rule_name = 'only_small'
    """,
    "unique_combination_open_opportunities_ranked_funnel_id__deal_id": """
        update marts.open_opportunities_ranked set deal_id = 'd001' where worklist_rank in (3, 4)
    """,
    "unique_combination_open_opportunities_ranked_funnel_id__worklist_rank": """
        update marts.open_opportunities_ranked set worklist_rank = 6 where worklist_rank = 5
    """,
    "unique_combination_open_opportunities_ranked_funnel_id__owner_id__owner_worklist_rank": """
        update marts.open_opportunities_ranked set owner_worklist_rank = 1
        where owner_worklist_rank = 2
    """,
    "unique_combination_open_opportunities_ranked_funnel_id__owner_id__owner_concern_rank": """
        update marts.open_opportunities_ranked set owner_concern_rank = 1
        where owner_concern_rank = 2
    """,
    "open_opportunities_ranked_has_every_open_deal": """
        delete from marts.open_opportunities_ranked where worklist_rank = 7
    """,
    "never_null_open_opportunities_ranked": """
        update marts.open_opportunities_ranked set reason = null where worklist_rank = 8
    """,
    "accepted_values_open_opportunities_ranked": """
        update marts.open_opportunities_ranked set win_probability_source = 'guessed'
        where worklist_rank = 9
    """,
    "open_opportunities_ranked_expects_what_it_knows": """
        update marts.open_opportunities_ranked set expected_value = amount + 1
        where worklist_rank = 10
    """,
}


@pytest.fixture(scope="module")
def statuses(owner_database: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Status of each data test, by name, over marts with all the defects."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(tmp_path_factory.mktemp("defects"))})
    declarations.write_empty(settings.declarations)
    shutil.copyfile(owner_database, settings.build)
    with duckdb.connect(str(settings.build)) as connection:
        for defect in DEFECTS.values():
            [changed] = connection.execute(defect).fetchone() or (0,)
            assert changed > 0, defect
    outcome = dbt.run(
        settings,
        [
            *("test", "--select", *MODELS, "--exclude", "test_type:unit"),
            *("--indirect-selection", "buildable", *dbt.common_arguments(settings)),
        ],
    )
    return {".".join(one.unique_id.split(".")[2:]): one.status for one in outcome.results}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planted_defect_is_found(statuses: dict[str, str], name: str) -> None:
    """Prevents a test that passes whatever the table holds."""
    [status] = {status for test, status in statuses.items() if test.startswith(name)}
    assert status == "fail"


def test_every_data_test_was_seen_failing(statuses: dict[str, str]) -> None:
    """Prevents a new test from being trusted before it was seen failing."""
    assert {name for name, status in statuses.items() if status != "fail"} == set()
