"""What the marts of large funnels, whose waits are rounded, say against exact ones."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration import dbt
from orchestration.settings import Settings

pytestmark = pytest.mark.slow

# How a description says that a column follows from rounded waits.
SAYS_SO = "counts as up to 1/256 (0.4%) longer than it was"
KEYS = {
    "conversion_by_horizon": ("event", "from_stage_id", "to_stage_id", "horizon_days"),
    "cycle_times": ("from_stage_id", "to_stage_id"),
    "funnel_conversion": ("stage_id",),
}
GROUP = ("funnel_id", "cohort_grain", "cohort_date", "segment_name", "segment_value")


@pytest.fixture(scope="module")
def both(marts_database: Path, rounded_marts_database: Path) -> duckdb.DuckDBPyConnection:
    """Both databases, as `exact` and `rounded`."""
    connection = duckdb.connect()
    connection.execute(f"attach '{marts_database}' as exact (read_only)")
    connection.execute(f"attach '{rounded_marts_database}' as rounded (read_only)")
    return connection


@pytest.fixture(scope="module")
def descriptions(marts_database: Path) -> dict[str, dict[str, str]]:
    """What is said of each column of each mart."""
    settings = Settings.from_environment({"FUNNEL_HOME": str(marts_database.parent)})
    return {
        node["name"]: {
            column["name"]: " ".join(column["description"].split())
            for column in node["columns"].values()
        }
        for node in dbt.manifest(settings)["nodes"].values()
        if node["resource_type"] == "model" and node["path"].startswith("marts/funnel/")
    }


def test_what_does_not_say_that_it_is_rounded_is_not(
    both: duckdb.DuckDBPyConnection, descriptions: dict[str, dict[str, str]]
) -> None:
    """Prevents a count or a time that changes with the size of the funnel and does not say so."""
    compared = 0
    for mart, columns in descriptions.items():
        # Its points are where the curve has its steps.
        if mart == "survival_curves":
            continue
        exact = ", ".join(name for name, text in columns.items() if SAYS_SO not in text)
        for one, other in (("exact", "rounded"), ("rounded", "exact")):
            differing = both.execute(
                f"select {exact} from {one}.marts.{mart}"
                f" except all select {exact} from {other}.marts.{mart}"
            ).fetchall()
            assert not differing, f"{mart}: {differing[:3]}"
        compared += 1
    assert compared > 5
    said = {mart for mart, columns in descriptions.items() if SAYS_SO in " ".join(columns.values())}
    assert said == {*KEYS, "survival_curves", "funnel_conversion_known_on"}


@pytest.mark.parametrize("mart", KEYS)
def test_what_is_rounded_is_close(
    both: duckdb.DuckDBPyConnection, descriptions: dict[str, dict[str, str]], mart: str
) -> None:
    """Prevents a rounding that anybody would see in a chart, and a figure that comes or goes.

    Held on journeys with known chances, of which each curve has some hundred.
    """
    names = [name for name, text in descriptions[mart].items() if SAYS_SO in text]
    same = " and ".join(
        f"exact.{key} is not distinct from rounded.{key}" for key in (*GROUP, *KEYS[mart])
    )
    differing = 0
    for name in names:
        rows = both.execute(
            f"select exact.{name}, rounded.{name} from exact.marts.{mart} as exact"
            f" inner join rounded.marts.{mart} as rounded on {same}"
            " where exact.funnel_id = 'trial' and exact.cohort_grain = 'all'"
            f" and exact.{name} is distinct from rounded.{name}"
        ).fetchall()
        differing += len(rows)
        for exact, rounded in rows:
            if name.startswith("survival_p"):
                assert exact < rounded <= exact * (1 + 2 / 256), name
            else:
                assert abs(rounded - exact) < 0.01, name
    assert differing > 10
