"""The macros of the funnel marts refuse what they cannot work with, by name."""

from __future__ import annotations

import pytest

from orchestration import dbt, declarations
from orchestration.settings import Settings


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("wilson_bound('a', 'b', 'middle')", "wilson_bound: expected side low or high"),
        ("cohort_date('fortnight', 'entered_date')", "cohort_date: expected one of all, year"),
        ("interpolated_quantiles('a', [0.5, 50])", "expected shares between 0 and 1, found 50"),
        ("list_item('a', 0)", "list_item: expected a position from 1 on, found 0"),
        (
            "test_sums_by_group(ref('conversion_matrix'), 'transitions', 'visits', 'funnel_id')",
            "expected group_by as a list of columns, found funnel_id",
        ),
    ],
)
def test_a_bad_argument_is_refused(
    call: str, message: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Prevents a misspelt argument from becoming SQL that runs and means something else."""
    home = tmp_path_factory.getbasetemp() / "macros"
    settings = Settings.from_environment({"FUNNEL_HOME": str(home)})
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    declarations.write_empty(settings.declarations)
    query = "select {{ " + call + " }}"
    with pytest.raises(dbt.DbtError) as refused:
        dbt.run(settings, ["compile", "--inline", query, *dbt.common_arguments(settings)])
    # dbt says that the query could not be compiled, and why in the error behind that.
    by_dbt = refused.value.__cause__
    assert by_dbt is not None
    assert message in str(by_dbt.__context__)
