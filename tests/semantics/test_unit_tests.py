"""The unit tests that stand beside the models: a night does not run them, as they see no data."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestration import dbt, declarations
from orchestration.settings import Settings


def test_the_unit_tests_of_all_models_pass(warehouse_database: Path, tmp_path: Path) -> None:
    """A rule would be broken in a model, and its rows would still look right."""
    settings = Settings.from_environment({}, {"FUNNEL_HOME": str(tmp_path)})
    declarations.write_empty(settings.declarations)
    # Of the tables that the models read, a unit test takes the names and types of the columns.
    shutil.copyfile(warehouse_database, settings.build)
    outcome = dbt.run(
        settings,
        ["test", "--select", "test_type:unit", *dbt.NO_ARTEFACTS, *dbt.common_arguments(settings)],
    )
    assert len(outcome.results) > 10
    assert not outcome.failures, "\n".join(outcome.failure_lines)
