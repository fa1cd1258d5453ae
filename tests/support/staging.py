"""Builds the staging layer alone, with the least that the declarations ask for."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from orchestration import dbt, declarations
from orchestration.raw_views import create_raw_views
from orchestration.settings import Settings
from tests.support.tables import Tables
from tests.support.warehouse import load_night

# A funnel that nothing enters: staging asks for none, the declarations for one.
SEEDS = {
    "funnels.csv": "funnel_id,subject_type,order_mode\nsales,opportunity,furthest\n",
    "funnel_stages.csv": (
        "funnel_id,stage_position,stage_id,stage_kind\nsales,1,new,open\nsales,2,won,won\n"
    ),
    "stage_rules.csv": (
        "funnel_id,stage_id,rule_type,match_value\n"
        "sales,new,opportunity_stage,New\nsales,won,opportunity_stage,Won\n"
    ),
}


def declare(seeds: Path, systems: Mapping[str, str]) -> None:
    """Declare sources by name, each with its system."""
    seeds.mkdir(parents=True, exist_ok=True)
    rows = "".join(f"{source},{system}\n" for source, system in systems.items())
    (seeds / "sources.csv").write_text("source,system\n" + rows, encoding="utf-8")
    for name, text in SEEDS.items():
        (seeds / name).write_text(text, encoding="utf-8")


def build_staging(folder: Path, nights: Sequence[datetime] = (), with_tests: bool = True) -> Tables:
    """Load `folder/landing` with the declarations in `folder/seeds` and build staging of it.

    Args:
        folder: where landing, seeds and home are.
        nights: the instants at which the landing is loaded; none if it has been loaded.
        with_tests: whether dbt's tests of rows are run.
    """
    settings = settings_of(folder)
    for night in nights:
        load_night(settings.landing, settings.seeds, settings.home, night)
    create_raw_views(settings, declarations.read(settings.seeds).sources)
    left_out = ["unit_test"] if with_tests else ["unit_test", "test"]
    outcome = dbt.run(
        settings,
        [
            "build",
            *("--select", *dbt.LAYERS[0].select, "--indirect-selection", "buildable"),
            *("--exclude-resource-types", *left_out),
            *dbt.common_arguments(settings),
        ],
    )
    assert outcome.results
    assert not outcome.failures, [failure.message for failure in outcome.failures]
    return Tables(settings.build)


def settings_of(folder: Path) -> Settings:
    """The settings of a warehouse that lies in a folder of its own."""
    return Settings.from_environment(
        {
            "FUNNEL_LANDING": str(folder / "landing"),
            "FUNNEL_SEEDS": str(folder / "seeds"),
            "FUNNEL_HOME": str(folder / "home"),
        }
    )


def deliver_csv(path: Path, text: str) -> None:
    """Write a CSV file; blanks at the ends of lines and cells are for the reader alone."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([cell.strip() for cell in line] for line in lines)
