"""Asks the metrics of `models/semantic/` of the release that readers have, with MetricFlow's `mf`.

dbt declares them over the tables of the build, which is private to nights; MetricFlow reads such
declarations, and where its tables are, from the folder of a dbt project. So it gets a folder whose
declarations name the tables of the release, opened for reading only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestration import dbt, releases
from orchestration.release_database import DATABASE
from orchestration.settings import Settings

PROFILE = "release"


class MetricsError(RuntimeError):
    """Metrics that cannot be asked. The message says what to do."""


class _AsksNobody:
    """In place of what asks the package registry for a later version each time `mf` starts."""

    def check(self, name: str, version: str) -> None:
        """Find none."""


def ask(settings: Settings, words: Sequence[str]) -> None:
    """Be `mf` with these words, `query --metrics win_rate` say, and end the process as it does.

    Raises:
        MetricsError: nothing was published yet, or MetricFlow is not installed.
        ReleaseError: the link leads to a release that is not there.
        DbtError: the project has a mistake.
    """
    folder = write_project(settings)
    try:
        from dbt_metricflow.cli import main as mf
    except ImportError as error:
        raise MetricsError(
            f"dbt-metricflow: expected it as requirements-dev.lock has it, found: {error}. "
            "`make metrics` installs it."
        ) from error
    os.environ.update({"DBT_PROFILES_DIR": str(folder), "DBT_PROJECT_DIR": str(folder)})
    setattr(mf, "UpdateChecker", _AsksNobody)  # noqa: B010 - mypy does not know it
    mf.cli(list(words), prog_name="mf")


def write_project(settings: Settings) -> Path:
    """Write the project that MetricFlow reads, about the current release, and say where.

    Raises:
        MetricsError: nothing was published yet.
        ReleaseError: the link leads to a release that is not there.
        DbtError: the project has a mistake.
    """
    release = releases.current_release(settings)
    if release is None:
        raise MetricsError(
            f"{settings.published}: expected a release to ask, found none. `make nightly` "
            "publishes one."
        )
    database = releases.release_folder(settings.published, release.release_id) / DATABASE
    # A folder for each release: who asks while a night publishes is answered from one of them.
    folder = settings.dbt / "metrics" / release.release_id
    output = {
        "type": "duckdb",
        "path": str(database.resolve()),
        "schema": "main",
        "threads": 1,
        "config_options": {"access_mode": "read_only"},
        "settings": {"TimeZone": "UTC"},
    }
    project = {"name": PROFILE, "profile": PROFILE, "config-version": 2, "model-paths": []}
    profiles = {PROFILE: {"target": PROFILE, "outputs": {PROFILE: output}}}
    _write(folder / "dbt_project.yml", yaml.safe_dump(project))
    _write(folder / "profiles.yml", yaml.safe_dump(profiles))
    declared = json.dumps(of_release(dbt.semantic_manifest(settings), database.stem))
    _write(folder / "target" / "semantic_manifest.json", declared)
    return folder


def of_release(declared: dict[str, Any], catalog: str) -> dict[str, Any]:
    """The declarations over the tables of a release, which are all in its one schema.

    Args:
        declared: dbt's semantic manifest, over the tables of the build.
        catalog: what DuckDB calls the release's file.
    """
    spines = declared["project_configuration"]["time_spines"]
    for place in (*declared["semantic_models"], *spines):
        table = place["node_relation"]
        name = f'"{catalog}"."main"."{table["alias"]}"'
        table.update(database=catalog, schema_name="main", relation_name=name)
    return declared


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)
