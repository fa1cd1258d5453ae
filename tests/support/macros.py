"""What the macros of the project become in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestration import dbt, declarations
from orchestration.settings import Settings


def compiled_sql(query: str, home: Path, environment: Mapping[str, str] | None = None) -> str:
    """The SQL of a query that calls macros, in a warehouse without declarations at `home`."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(home), **(environment or {})})
    settings.build.parent.mkdir(parents=True, exist_ok=True)
    declarations.write_empty(settings.declarations)
    arguments = ["compile", "--inline", query, *dbt.common_arguments(settings)]
    [result] = dbt.run(settings, arguments).results
    assert result.compiled is not None
    return result.compiled.read_text()
